"""Finds the ids of the repositories in a subscription's filter in the store, without GitHub."""

from collections.abc import Mapping

from bot.rules.coverage import pin, pinned_values
from bot.rules.filters import BadFilter, parse_filter
from storage import repositories
from storage.db import Tx
from storage.filter import Qualifier
from storage.records import Subscription


async def known_pins(tx: Tx, known: Subscription) -> Mapping[str, int]:
    """The ids of the repositories in the filter; a name that only one stored repository has gets its id now.

    Subscriptions of 0.1.0 and of the command line begin without them.
    """
    try:
        named = pinned_values(parse_filter(known.filter))
    except BadFilter:
        return known.pinned
    pinned = dict(known.pinned)
    for qualifier, value in sorted(named):
        if qualifier is Qualifier.REPO and pin(qualifier, value) not in pinned:
            found = await repositories.load_by_name(tx, value)
            if len(found) == 1:
                pinned[pin(qualifier, value)] = found[0].id
    return pinned
