"""A change of a repository in words, for the histories of the alerts in it."""

from storage.records import Repository, RepositoryState

GONE = {
    RepositoryState.DELETED: "it was deleted",
    RepositoryState.REMOVED: "Stanch's access to it was removed",
}


def change_words(before: Repository, now: Repository) -> str | None:
    """What people should know of the change, in words after "The repository changed:"; None for a detail."""
    if before.state is not now.state:
        return GONE.get(now.state, "Stanch can reach it again")
    if before.full_name != now.full_name:
        return f"{before.full_name} is now {now.full_name}"
    if before.visibility != now.visibility:
        return f"it is {now.visibility} now"
    return None
