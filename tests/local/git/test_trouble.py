"""git's words, classified and without passwords."""

from __future__ import annotations

import pytest

from locus.local.git.trouble import Reason, classify, mask, words

SAID = [
    (Reason.AUTH, "fatal: could not read Username for 'https://github.com': terminal prompts disabled"),
    (
        Reason.AUTH,
        "remote: Permission to a/b.git denied to ada.\nfatal: unable to access 'https://x/'",
    ),
    (Reason.AUTH, "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository."),
    (Reason.AUTH, "fatal: Authentication failed for 'https://example.org/x/'"),
    (Reason.HOST_KEY, "Host key verification failed.\nfatal: Could not read from remote repository."),
    (Reason.NOT_FOUND, "remote: Repository not found.\nfatal: repository 'https://github.com/acme/x/' not found"),
    (
        Reason.NOT_FOUND,
        "fatal: '/srv/x' does not appear to be a git repository\nfatal: Could not read from remote repository.",
    ),
    (Reason.UNREACHABLE, "fatal: unable to access 'https://x/': Could not resolve host: x"),
    (Reason.UNREACHABLE, "ssh: connect to host x port 22: Connection timed out"),
    (Reason.UNREACHABLE, "error: RPC failed; HTTP 502\nfatal: the remote end hung up unexpectedly"),
    (
        Reason.PROTECTED,
        "remote: error: GH006: Protected branch update failed.\n ! [remote rejected] (hook declined)",
    ),
    (Reason.PROTECTED, "remote: error: GH013: Repository rule violations found for refs/heads/x."),
    (
        Reason.PROTECTED,
        "GitLab: You are not allowed to push code to protected branches.\n ! [remote rejected] (hook declined)",
    ),
    (Reason.HOOK, " ! [remote rejected] x -> x (pre-receive hook declined)"),
    (
        Reason.TOO_LARGE,
        "remote: error: File big.bin is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB",
    ),
    (Reason.DISK_FULL, "error: unable to write file x: No space left on device"),
    (Reason.OTHER, "fatal: something new"),
]


@pytest.mark.parametrize(("reason", "text"), SAID, ids=lambda value: value[:30].strip())
def test_what_a_remote_says_has_a_reason(reason: Reason, text: str) -> None:
    assert classify(text, network=True) is reason


def test_without_a_network_permission_is_about_files() -> None:
    assert classify('error: open("x"): Permission denied', network=False) is Reason.OTHER
    assert classify("fatal: unable to read tree 1234", network=False) is Reason.DAMAGED


SECRET = "s3cr3t-pass"


@pytest.mark.parametrize(
    "text",
    [
        f"fatal: unable to access 'https://ada:{SECRET}@example.org/x/'",
        f"https://{SECRET}@example.org/x",
        f"https://ada:{SECRET}@@example.org/x",
        f"ssh://ada:{SECRET}@example.org",
        f"Authorization: Basic {SECRET}",
        f"http.extraHeader=AUTHORIZATION: bearer {SECRET}",
        "remote: token ghp_s3cr3t-pass0000000000 is bad",
        "github_pat_s3cr3t-pass_0000 and glpat-s3cr3t-pass0",
    ],
)
def test_no_credential_is_left_in_a_message(text: str) -> None:
    assert "s3cr3t" not in mask(text)


def test_a_known_password_is_masked_in_either_spelling() -> None:
    assert mask("user p@ss/word or p%40ss%2Fword", ["p%40ss%2Fword"]) == "user *** or ***"


def test_a_cut_does_not_uncover_half_of_an_address() -> None:
    said = words(f"https://ada:{'k' * 3000}@example.org/x".encode() + b"y" * 1500)

    assert "kkk" not in said
