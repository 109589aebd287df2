from index_builder.source_names import told_apart


def test_names_of_their_own_stay_as_they_are():
    assert told_apart(["notes", "wiki"]) == ["notes", "wiki"]


def test_a_name_that_is_taken_gets_a_number():
    assert told_apart(["notes", "wiki", "notes", "notes"]) == ["notes", "wiki", "notes (2)", "notes (3)"]


def test_every_name_is_its_own_also_where_one_looks_numbered():
    assert told_apart(["n", "n", "n (2)"]) == ["n", "n (2)", "n (2) (2)"]
