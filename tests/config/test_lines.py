"""Line numbers of keys, whatever the TOML around them."""

from config.lines import line_numbers, nearest_line

TEXT = '''\
key = "a"
[portal]
url = "x"  # a comment
"quoted" = 1
[[seed.terms]]
body = """
version = 7
[not.a.table]
"""
version = 1
[[seed.terms]]
version = 2
[limits]
a.b = 3
'''


def test_keys_tables_and_arrays_have_their_lines() -> None:
    found = line_numbers(TEXT)
    assert found["key",] == 1
    assert found["portal", "url"] == 3 and found["portal", "quoted"] == 4
    assert found["seed", "terms", 0, "version"] == 10
    assert found["seed", "terms", 1, "version"] == 12
    assert found["limits", "a", "b"] == 14
    assert ("not", "a", "table") not in found


def test_a_missing_key_gets_the_line_of_its_table() -> None:
    found = line_numbers(TEXT)
    assert nearest_line(found, ("portal", "staff_url")) == 2
    assert nearest_line(found, ("seed", "terms", 1, "title")) == 11
    assert nearest_line(found, ("nothing",)) is None
