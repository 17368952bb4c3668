"""What a child may see of our environment, and how its end is named."""

from __future__ import annotations

import pytest

from locus.local.process import Exit, base_environment


def test_a_child_sees_what_it_needs_and_no_secret() -> None:
    ours = {
        "PATH": "/bin",
        "HOME": "/home/dev",
        "LC_ALL": "C.UTF-8",
        "https_proxy": "http://proxy",
        "LOCUS_API_KEY": "k",
        "GITHUB_TOKEN": "k",
        "DATABASE_URL": "k",
        "AWS_SECRET_ACCESS_KEY": "k",
        "SSH_AUTH_SOCK": "k",
        "LD_PRELOAD": "k",
        "PYTHONPATH": "k",
        "MY_OWN": "k",
    }

    assert set(base_environment(ours)) == {"PATH", "HOME", "LC_ALL", "https_proxy"}


@pytest.mark.parametrize(
    ("allow", "name", "passes"),
    [
        (["MY_OWN"], "MY_OWN", True),
        (["MY_*"], "MY_OWN", True),
        (["DATABASE_URL"], "DATABASE_URL", True),
        (["*"], "DATABASE_URL", False),
        (["GITHUB_*"], "GITHUB_TOKEN", False),
        (["LOCUS_API_KEY"], "LOCUS_API_KEY", False),
        (["*"], "LOCUS_API_KEY", False),
        (["*"], "LD_PRELOAD", False),
    ],
)
def test_a_pattern_never_lets_a_credential_through_and_a_name_may(allow: list[str], name: str, passes: bool) -> None:
    assert (name in base_environment({name: "x"}, allow=allow)) is passes


def test_an_exit_is_a_code_or_a_signal() -> None:
    assert (Exit.of(3), Exit.of(-15), Exit.of(0).ok) == (Exit(3, None), Exit(None, 15), True)
    for code, number in ((None, None), (1, 9)):
        with pytest.raises(ValueError):
            Exit(code, number)
