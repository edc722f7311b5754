"""What is stored, as frozen records that depend on the standard library alone."""

from storage.records.alerts import (
    Alert,
    AlertState,
    CommitAuthor,
    Event,
    EventKind,
    HandOver,
    Person,
    Probe,
    Report,
    ReportState,
    SecretLocation,
    TokenFacts,
)
from storage.records.approvals import Approval, ApprovalState, ReportFacts
from storage.records.github import Account, Installation, InstallationState, Repository, RepositoryState
from storage.records.jobs import TRACE, Claim, Delivery, Done, Job, JobState, NewJob, Parked, Retry, RunResult
from storage.records.messages import (
    Audience,
    Message,
    MessagePurpose,
    MessageState,
    Subscription,
    SummaryGroup,
    ThreadLevel,
)
from storage.records.names import (
    AlertKey,
    AlertNumber,
    ChannelId,
    GitHubId,
    InstallationId,
    JobId,
    MessageKey,
    MessageTs,
    RepositoryId,
    SlackTeamId,
    SlackUserId,
    StoredJson,
    UnixTime,
)
from storage.records.people import (
    AuditEntry,
    AuditOutcome,
    AuditRow,
    DirectoryPair,
    Identity,
    IdentitySource,
    LinkPage,
    LinkRequest,
    OperatorLink,
    Sealed,
    SignIn,
    StoredTokens,
    Suspension,
)
