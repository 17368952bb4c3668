"""Settings: one table, five origins, and messages that name the place."""

from pathlib import Path

import pytest
from msgspec.structs import fields

from locus.local.errors import LocalError, Usage
from locus.local.settings import (
    BY_NAME,
    PROJECT_KEYS,
    TABLE,
    Origin,
    Setting,
    Settings,
    Value,
    load,
    set_project,
    set_user,
)

# A value per setting that is not its default, as text and as a file holds it.
SAMPLES: dict[str, tuple[str, str, Value]] = {
    "server": ("https://locus.example.org", '"https://locus.example.org"', "https://locus.example.org"),
    "workspace": ("AUTH", '"AUTH"', "AUTH"),
    "provider": ("codex", '"codex"', "codex"),
    "model": ("opus[1m]", '"opus[1m]"', "opus[1m]"),
    "effort": ("high", '"high"', "high"),
    "agent_command": ("agent --say 'two words'", '["agent", "--say", "two words"]', ("agent", "--say", "two words")),
    "remote": ("upstream", '"upstream"', "upstream"),
    "base": ("release/2.x", '"release/2.x"', "release/2.x"),
    "forge": ("github", '"github"', "github"),
    "forge_api": (
        "https://github.example.org/api/v3",
        '"https://github.example.org/api/v3"',
        "https://github.example.org/api/v3",
    ),
    "max_tasks": ("7", "7", 7),
    "wall_minutes": ("90", "90", 90),
    "silence_minutes": ("3", "3", 3),
    "check_rounds": ("0", "0", 0),
    **{f"{scope}_turns": ("40", "40", 40) for scope in ("task", "run", "day")},
    **{f"{scope}_tokens": ("500000", "500000", 500_000) for scope in ("task", "run", "day")},
    **{f"{scope}_usd": ("2.50", "2.5", 2.5) for scope in ("task", "run", "day")},
    **{f"{scope}_minutes": ("480", "480", 480) for scope in ("run", "day")},
    "on_limit": ("switch", '"switch"', "switch"),
    "index": ("false", "false", False),
    "index_budget": ("900", "900", 900),
    "sandbox": ("off", '"off"', "off"),
    "network": ("provider", '"provider"', "provider"),
    "network_hosts": (
        "mirror.example.org [::1]:8443",
        '["mirror.example.org", "[::1]:8443"]',
        ("mirror.example.org", "[::1]:8443"),
    ),
    "sandbox_read": ("~/data '/srv/a b'", '["~/data", "/srv/a b"]', ("~/data", "/srv/a b")),
    "sandbox_write": ("/srv/out", '["/srv/out"]', ("/srv/out",)),
    "review_provider": ("codex", '"codex"', "codex"),
    "review_model": ("sonnet", '"sonnet"', "sonnet"),
    "permissions": ("ask", '"ask"', "ask"),
    "ask_seconds": ("30", "30", 30),
    "summaries": ("false", "false", False),
    "sandbox_consent": ("true", "true", True),
    "consent": ("true", "true", True),
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"LOCUS_CONFIG_DIR": str(tmp_path / "config")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / ".locus").mkdir(parents=True)
    return root


def write_user(environ: dict[str, str], text: str) -> Path:
    path = Path(environ["LOCUS_CONFIG_DIR"]) / "settings.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def write_project(root: Path, text: str) -> Path:
    path = root / ".locus" / "config.toml"
    path.write_text(text)
    return path


def project_line(setting: Setting, value: str) -> str:
    assert setting.project is not None
    section, _, key = setting.project.rpartition(".")
    return f"[{section}]\n{key} = {value}\n" if section else f"{key} = {value}\n"


def test_the_table_and_the_type_have_the_same_settings() -> None:
    assert {setting.name for setting in TABLE} == {field.name for field in fields(Settings)} - {"origins"}


def test_every_setting_is_documented_and_has_a_sample_here() -> None:
    assert set(SAMPLES) == set(BY_NAME)
    for setting in TABLE:
        assert setting.doc.endswith(".")
        assert bool(setting.project) != bool(setting.why_not), f"{setting.name}: in the project, or a reason why not"


def test_every_default_is_allowed() -> None:
    for setting in TABLE:
        if setting.default is not None:
            given = list(setting.default) if isinstance(setting.default, tuple) else setting.default
            assert setting.kind.from_toml(given) == setting.default


def test_no_two_settings_share_a_variable_or_a_key() -> None:
    variables = [setting.variable for setting in TABLE if setting.variable]
    assert len(set(variables)) == len(variables)
    assert len(PROJECT_KEYS) == len([setting for setting in TABLE if setting.project])


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_flag_beats_environment_beats_project_beats_user_beats_default(
    setting: Setting, environ: dict[str, str], root: Path
) -> None:
    text, written, value = SAMPLES[setting.name]

    def found(flags: dict[str, Value] | None = None) -> tuple[Value, Origin]:
        settings = load(root=root, flags=flags, environ=environ)
        return getattr(settings, setting.name), settings.origins[setting.name]

    assert found() == (setting.default, Origin.DEFAULT)
    write_user(environ, f"{setting.name} = {written}\n")
    assert found() == (value, Origin.USER)
    if setting.project:
        write_project(root, project_line(setting, written))
        assert found() == (value, Origin.PROJECT)
    if setting.variable:
        environ[setting.variable] = text
        assert found() == (value, Origin.ENVIRONMENT)
    assert found({setting.name: text}) == (value, Origin.FLAG)


@pytest.mark.parametrize("setting", [s for s in TABLE if not s.project], ids=lambda setting: setting.name)
def test_a_repository_cannot_set_what_concerns_the_user(setting: Setting, environ: dict[str, str], root: Path) -> None:
    for text in (f"{setting.name} = {SAMPLES[setting.name][1]}\n", f"[agent]\n{setting.name} = 1\n"):
        path = write_project(root, text)

        with pytest.raises(LocalError) as raised:
            load(root=root, environ=environ)

        assert f"{path}:{len(text.splitlines())}" in raised.value.message
        assert setting.why_not in raised.value.message
    with pytest.raises(Usage):
        set_project(root, setting, SAMPLES[setting.name][2])


def test_consent_cannot_come_from_the_environment(environ: dict[str, str]) -> None:
    environ["LOCUS_CONSENT"] = "true"

    assert load(environ=environ).consent is False


def test_an_empty_variable_counts_as_not_set(environ: dict[str, str]) -> None:
    environ["LOCUS_PROVIDER"] = ""

    assert load(environ=environ).origins["provider"] is Origin.DEFAULT


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("server", "http://example.org"),
        ("provider", "Claude"),
        ("model", "two words"),
        ("effort", "HIGH"),
        ("agent_command", "'unclosed"),
        ("agent_command", ""),
        ("remote", "--upload-pack=x"),
        ("base", "-f"),
        ("base", "a..b\n"),
        ("max_tasks", "0"),
        ("max_tasks", "ten"),
        ("max_tasks", "1_0"),
        ("wall_minutes", "1441"),
        ("silence_minutes", "-1"),
        ("check_rounds", "21"),
    ],
)
def test_a_wrong_value_is_refused_wherever_it_comes_from(name: str, wrong: str, environ: dict[str, str]) -> None:
    with pytest.raises(Usage, match=name.replace("_", "-")):
        load(flags={name: wrong}, environ=environ)
    if wrong:
        with pytest.raises(Usage, match=f"LOCUS_{name.upper()}"):
            load(environ={**environ, f"LOCUS_{name.upper()}": wrong})
    path = write_user(environ, f"# first\n{name} = '''{wrong}'''\n")
    with pytest.raises(LocalError, match=f"{path}:2"):
        load(environ=environ)


def test_an_unknown_key_is_named_with_its_line_and_the_one_that_was_meant(environ: dict[str, str]) -> None:
    path = write_user(environ, '# mine\n\nprovidr = "codex"\n')

    with pytest.raises(LocalError) as raised:
        load(environ=environ)

    assert f"{path}:3" in raised.value.message
    assert raised.value.remedy == "Did you mean `provider`?"


def test_a_broken_file_says_where(environ: dict[str, str]) -> None:
    path = write_user(environ, 'provider = "codex\n')

    with pytest.raises(LocalError, match=f"{path} is not valid TOML.*line 1"):
        load(environ=environ)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_not_believed(mode: int, environ: dict[str, str]) -> None:
    path = write_user(environ, "consent = true\n")
    path.chmod(mode)

    with pytest.raises(LocalError, match=f"chmod 600 {path}"):
        load(environ=environ)


def test_writing_keeps_comments_and_order_and_makes_the_file_private(environ: dict[str, str]) -> None:
    text = '# mine\nprovider = "codex"  # faster\n\n# limits\nmax_tasks = 3\n'
    path = write_user(environ, text)
    path.chmod(0o644)

    set_user(BY_NAME["max_tasks"], 5, environ=environ)
    set_user(BY_NAME["agent_command"], ("run", "it"), environ=environ)

    assert path.read_text() == text.replace("3", "5") + 'agent_command = ["run", "it"]\n'
    assert path.stat().st_mode & 0o777 == 0o600
    assert load(environ=environ).agent_command == ("run", "it")


def test_removing_a_value_brings_the_next_origin_back(environ: dict[str, str]) -> None:
    write_user(environ, "# limit\nmax_tasks = 3\n")

    path = set_user(BY_NAME["max_tasks"], None, environ=environ)
    set_user(BY_NAME["model"], None, environ=environ)

    assert path.read_text() == "# limit\n"


def test_a_settings_file_that_is_a_link_stays_one(environ: dict[str, str], tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles.toml"
    elsewhere.write_text("max_tasks = 3\n")
    elsewhere.chmod(0o600)
    path = Path(environ["LOCUS_CONFIG_DIR"]) / "settings.toml"
    path.parent.mkdir()
    path.symlink_to(elsewhere)

    set_user(BY_NAME["max_tasks"], 4, environ=environ)

    assert path.is_symlink()
    assert elsewhere.read_text() == "max_tasks = 4\n"


def test_a_project_setting_goes_into_its_section(root: Path, environ: dict[str, str]) -> None:
    path = write_project(root, '# ours\n[checks.tests]\nrun = "make test"\n')

    set_project(root, BY_NAME["provider"], "codex")
    set_project(root, BY_NAME["workspace"], "AUTH")

    settings = load(root=root, environ=environ)
    assert (settings.provider, settings.workspace) == ("codex", "AUTH")
    assert path.read_text() == (
        '# ours\nworkspace = "AUTH"\n\n[checks.tests]\nrun = "make test"\n\n[agent]\nprovider = "codex"\n'
    )


def test_a_place_that_cannot_be_written_is_told(environ: dict[str, str]) -> None:
    Path(environ["LOCUS_CONFIG_DIR"]).write_text("a file where the folder should be")

    with pytest.raises(LocalError, match="cannot be written"):
        set_user(BY_NAME["max_tasks"], 4, environ=environ)
