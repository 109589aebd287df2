"""A group that is made into claims: as it is stored, with its texts, and its passage that answers."""

from typing import NamedTuple

from training.group import Group, GroupRecord
from training.support_shown import Shown


class Case(NamedTuple):
    """``shown``: the passage that answers, and the question with it."""

    record: GroupRecord
    group: Group
    shown: Shown
