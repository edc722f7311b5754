"""Maps each job kind to its handler."""

from collections.abc import Awaitable, Mapping
from typing import Any

from bot import job_kinds as kinds
from bot import people_job_kinds
from bot.commands import answer, answer_button, answer_shortcut
from bot.context import Context
from bot.errors import Refused
from bot.flows.acting import approvals, fill_form, owner_answers, perform_action, show_details
from bot.flows.alerts import (
    arrival_check,
    hand_overs,
    installations,
    intake,
    rechecks,
    redeliver,
    sync,
    taken_alerts,
    validity_override,
)
from bot.flows.messages import backfill, owner_messages, publish
from bot.flows.people import announce, directory, finish_link, sealed_tokens
from bot.flows.private_answers import send_answer, send_direct_message
from bot.flows.subscribing import watch
from bot.job_kind import JobKind
from bot.jobs.worker import Handler
from bot.views.answers import refusal
from bot.views.identity_changes import identity_notice
from bot.views.refusals import outdated_control
from integrations.slack.blocks import Content
from storage.records import Job


async def _answer(
    context: Context,
    todo: kinds.AnswerCommand | kinds.AnswerShortcut | kinds.AnswerButton,
    answering: Awaitable[Content],
    *,
    replaces: bool = False,
) -> None:
    try:
        content = await answering
    except Refused as refused:
        # A refusal replaces no message: the list that was clicked stays.
        content, replaces = refusal(refused, todo), False
    await send_answer(context, todo.request, content, replaces=replaces)


async def _tell_failure(
    context: Context,
    todo: kinds.ShowDetails | kinds.AnswerCommand | kinds.AnswerShortcut | kinds.AnswerButton,
    job: Job,
    mistake: Refused,
) -> None:
    await send_answer(context, todo.request, refusal(mistake))


async def _sync_all(context: Context) -> None:
    await sync.sync_all(context)
    if context.receives_webhooks:
        await redeliver.redeliver_failed(context)


HANDLERS: Mapping[type[JobKind], Handler[Any]] = {
    handler.kind: handler
    for handler in (
        # `context` is the outside, `todo` the job's fields, `job` its row.
        Handler(kinds.HandleDelivery, lambda context, todo, job: intake.receive(context, todo.guid, job)),
        Handler(
            kinds.FetchDetails,
            lambda context, todo, job: intake.fetch_details(context, todo.alert, todo.attempt),
        ),
        Handler(kinds.PublishMessage, lambda context, todo, job: publish.publish(context, todo.message, job)),
        Handler(
            kinds.PerformAction,
            lambda context, todo, job: perform_action.perform(context, todo.request, job),
            lambda context, todo, job, mistake: perform_action.give_up(context, todo.request, job, mistake),
        ),
        Handler(
            kinds.ShowDetails,
            lambda context, todo, job: show_details.show_details(context, todo.request),
            _tell_failure,
        ),
        Handler(
            kinds.FillForm,
            lambda context, todo, job: fill_form.fill_form(context, todo.request, todo.hash),
            lambda context, todo, job, mistake: fill_form.show_error(context, todo.request, mistake),
        ),
        Handler(
            kinds.AnswerCommand,
            lambda context, todo, job: _answer(context, todo, answer(context, todo.request)),
            _tell_failure,
        ),
        Handler(
            kinds.AnswerShortcut,
            lambda context, todo, job: _answer(context, todo, answer_shortcut(context, todo.request)),
            _tell_failure,
        ),
        Handler(
            kinds.AnswerButton,
            lambda context, todo, job: _answer(
                context,
                todo,
                answer_button(context, todo.button, todo.request),
                replaces=todo.replaces,
            ),
            _tell_failure,
        ),
        Handler(
            kinds.AnswerOutdated,
            lambda context, todo, job: send_answer(context, todo.request, refusal(outdated_control())),
        ),
        Handler(
            kinds.RecordOwnerAnswer,
            lambda context, todo, job: owner_answers.record_answer(context, todo.request, job),
            lambda context, todo, job, mistake: send_answer(context, todo.request, refusal(mistake)),
        ),
        Handler(
            kinds.UpdateOwnerMessage,
            lambda context, todo, job: owner_messages.update_owner_messages(context, todo.alert, job),
        ),
        Handler(kinds.SendAnswer, lambda context, todo, job: send_answer(context, todo, todo.content)),
        Handler(
            people_job_kinds.SendIdentityNotice,
            lambda context, todo, job: send_direct_message(context, todo.user, identity_notice(todo)),
        ),
        Handler(people_job_kinds.AnnounceIdentities, announce.announce_identities),
        Handler(
            people_job_kinds.TellOperators, lambda context, todo, job: announce.tell_operator(context, todo)
        ),
        Handler(people_job_kinds.SyncDirectory, lambda context, todo, job: directory.run_job(context)),
        Handler(people_job_kinds.FinishLink, finish_link.finish, finish_link.give_up),
        Handler(
            people_job_kinds.DeleteTokens,
            lambda context, todo, job: sealed_tokens.delete_tokens(context, todo),
        ),
        Handler(kinds.TellReceiver, lambda context, todo, job: hand_overs.tell_receiver(context, todo)),
        Handler(
            kinds.FollowUpReport,
            lambda context, todo, job: rechecks.follow_up_report(context, todo.alert, todo.attempt, job),
        ),
        Handler(people_job_kinds.LapseApproval, approvals.lapse),
        Handler(
            kinds.RecheckRevoked,
            lambda context, todo, job: rechecks.recheck_revoked(context, todo.alert, todo.resolved_at, job),
        ),
        Handler(
            kinds.CheckOnArrival,
            lambda context, todo, job: arrival_check.check_on_arrival(context, todo.alert, job),
        ),
        Handler(
            kinds.CorrectValidity,
            lambda context, todo, job: validity_override.correct_override(context, todo.alert, job),
        ),
        Handler(
            kinds.SyncAssignee,
            lambda context, todo, job: taken_alerts.sync_assignee(context, todo.alert, todo.by, job),
        ),
        Handler(
            kinds.CheckHolders,
            lambda context, todo, job: taken_alerts.check_holders(context, todo.repository),
        ),
        Handler(
            kinds.RedrawChannel, lambda context, todo, job: publish.redraw_channel(context, todo.channel)
        ),
        Handler(kinds.RedrawCards, lambda context, todo, job: publish.redraw_cards(context)),
        Handler(kinds.SyncAll, lambda context, todo, job: _sync_all(context)),
        Handler(
            kinds.SyncInstallation,
            lambda context, todo, job: sync.sync_installation(context, todo.installation),
        ),
        Handler(
            kinds.BackfillChannel, lambda context, todo, job: backfill.backfill_channel(context, todo.channel)
        ),
        Handler(
            kinds.CheckSubscription,
            lambda context, todo, job: watch.check_subscription(context, todo.channel),
        ),
        Handler(
            kinds.AnnounceRepositoryChange,
            lambda context, todo, job: installations.show_repository_change(
                context, todo.repository, todo.details
            ),
        ),
    )
}
