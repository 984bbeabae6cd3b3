import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.prefixes import Branch, Kept, Prefixes, States, cut, grow, rows, shared

token = st.integers(0, 2)
paths_of_few_tokens = st.lists(st.lists(token, min_size=1, max_size=6), min_size=1, max_size=12)


def states(*tokens: int) -> States:
    """One layer whose keys are the tokens themselves, so that what is kept can be read off."""
    keys = torch.tensor(tokens, dtype=torch.float32).reshape(1, 1, -1, 1)
    return [(keys, -keys)]


def keep(prefixes: Prefixes, at: Kept, *tokens: int) -> Kept:
    return prefixes.keep(at, list(tokens), states(*tokens))


def held(at: Kept) -> list[int]:
    [(keys, values)] = at.states_up_to_here() or [(torch.zeros(0), torch.zeros(0))]
    assert torch.equal(keys, -values)
    return keys.flatten().int().tolist()


def walk(branches: list[Branch], before: list[int]) -> list[tuple[int, list[int]]]:
    found = []
    for branch in branches:
        here = [*before, *branch.tokens]
        assert branch.start == len(before)
        assert branch.size == len(branch.tokens) + sum(after.size for after in branch.branches)
        found += [(number, here) for number in branch.ending] + walk(branch.branches, here)
    return found


@given(paths_of_few_tokens)
def test_each_path_ends_in_one_place_and_each_beginning_stands_once(paths: list[list[int]]) -> None:
    branches = grow(paths)
    assert sorted(walk(branches, [])) == list(enumerate(paths))
    beginnings = {tuple(path[: n + 1]) for path in paths for n in range(len(path))}
    assert sum(branch.size for branch in branches) == len(beginnings)


def test_neighbours_share_a_row_as_long_as_they_fit() -> None:
    branches = [Branch(list(range(size)), 0, [0], []) for size in (2, 2, 3, 9, 1)]
    sizes = [[branch.size for branch in row] for row in rows(branches, 5)]
    assert sizes == [[2, 2], [3], [9], [1]]


@given(st.lists(token), st.lists(token))
def test_what_is_shared_is_the_longest_common_beginning(one: list[int], other: list[int]) -> None:
    count = shared(one, other)
    assert one[:count] == other[:count]
    assert one[count : count + 1] != other[count : count + 1] or count == min(len(one), len(other))


def test_a_beginning_is_found_up_to_where_it_differs() -> None:
    prefixes = Prefixes(100)
    keep(prefixes, keep(prefixes, prefixes.root, 1, 2, 3), 4, 5)
    at, known = prefixes.follow(prefixes.root, [1, 2, 3, 4, 9])
    assert (known, held(at)) == (4, [1, 2, 3, 4])
    at, known = prefixes.follow(prefixes.root, [1, 7])
    assert (known, held(at)) == (1, [1])
    at, known = prefixes.follow(prefixes.root, [1, 2, 3, 4, 5, 6])
    assert (known, held(at)) == (5, [1, 2, 3, 4, 5])
    assert prefixes.follow(prefixes.root, [8]) == (prefixes.root, 0)
    assert prefixes.size == 5


def test_a_stretch_is_not_cut_for_a_few_tokens() -> None:
    prefixes = Prefixes(100)
    end = keep(prefixes, prefixes.root, 1, 2, 3)
    assert prefixes.follow(prefixes.root, [1, 2, 9], least=3) == (prefixes.root, 0)
    assert prefixes.follow(prefixes.root, [1, 2, 3, 9], least=3) == (end, 3)
    at, known = prefixes.follow(prefixes.root, [1, 2, 9], least=2)
    assert (known, held(at)) == (2, [1, 2])


def test_what_is_kept_already_is_not_kept_twice() -> None:
    prefixes = Prefixes(100)
    keep(prefixes, prefixes.root, 1, 2, 3)
    assert held(keep(prefixes, prefixes.root, 1, 2, 4, 5)) == [1, 2, 4, 5]
    assert held(keep(prefixes, prefixes.root, 1, 2)) == [1, 2]
    assert prefixes.size == 5


def test_what_was_used_longest_ago_goes_first() -> None:
    prefixes = Prefixes(4)
    for first in (1, 2):
        keep(prefixes, prefixes.root, first, 0)
    prefixes.follow(prefixes.root, [1, 0])
    new = keep(prefixes, prefixes.root, 3, 0)
    prefixes.trim(new)
    assert prefixes.size == 4
    found = [prefixes.follow(prefixes.root, [first, 0])[1] for first in (1, 2, 3)]
    assert found == [2, 0, 2]


def test_what_lies_on_the_way_is_spared_and_a_beginning_outlives_what_follows_it() -> None:
    prefixes = Prefixes(3)
    first = keep(prefixes, prefixes.root, 1, 2)
    second = keep(prefixes, first, 3, 4)
    prefixes.trim(second)
    assert prefixes.size == 4
    prefixes.trim(first)
    assert (prefixes.size, first.is_held, second.is_held) == (2, True, False)
    assert held(keep(prefixes, second, 5)) == [1, 2, 3, 4, 5]
    assert prefixes.size == 2  # nothing is held after what was dropped


def test_a_stretch_that_is_cut_keeps_what_goes_on_from_it() -> None:
    prefixes = Prefixes(100)
    end = keep(prefixes, keep(prefixes, prefixes.root, 1, 2, 3), 4)
    prefixes.follow(prefixes.root, [1, 9])
    assert held(end) == [1, 2, 3, 4]
    assert prefixes.follow(prefixes.root, [1, 2, 3, 4]) == (end, 4)
    assert prefixes.size == 4


def test_a_cut_has_memory_of_its_own() -> None:
    whole = states(1, 2, 3)
    [(keys, _)] = cut(whole, 1, 2)
    assert keys.flatten().tolist() == [2]
    assert keys.untyped_storage().nbytes() == keys.nbytes


@pytest.mark.parametrize("limit", [1, 3, 8])
@given(paths=paths_of_few_tokens)
def test_the_limit_holds_whatever_is_kept(limit: int, paths: list[list[int]]) -> None:
    prefixes = Prefixes(limit)
    for path in paths:
        at, known = prefixes.follow(prefixes.root, path)
        assert held(at) == path[:known]
        if known < len(path):
            at = keep(prefixes, at, *path[known:])
        prefixes.trim(at)
        assert prefixes.size <= max(limit, len(path))
        prefixes.trim(prefixes.root)
        assert prefixes.size <= limit
