"""Files that mean something in every repository, by their names; a project may say otherwise."""

# What a test is called.
TEST_FILES = (
    "**/test/**",
    "**/tests/**",
    "**/__tests__/**",
    "**/spec/**",
    "test_*.py",
    "*_test.py",
    "*_test.go",
    "*.test.*",
    "*.spec.*",
    "*_spec.rb",
)

# What runs where a change is pushed, or when somebody commits.
AUTOMATION = (
    ".github/workflows/**",
    ".github/actions/**",
    ".forgejo/workflows/**",
    ".gitea/workflows/**",
    ".gitlab-ci.yml",
    ".gitlab/ci/**",
    ".circleci/**",
    ".buildkite/**",
    ".woodpecker/**",
    ".woodpecker.yml",
    ".drone.yml",
    ".travis.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "Jenkinsfile",
    ".husky/**",
    ".pre-commit-config.yaml",
    "lefthook.yml",
)

# What the next agent is told, or allowed.
INSTRUCTIONS = (
    "AGENTS.md",
    "CLAUDE.md",
    "GEMINI.md",
    ".claude/**",
    ".codex/**",
    ".mcp.json",
    ".cursor/**",
    ".cursorrules",
    ".github/copilot-instructions.md",
    ".github/instructions/**",
)

# What a test runner or an interpreter reads before it runs a single test.
BEFORE_TESTS = (
    "pytest.ini",
    "tox.ini",
    "sitecustomize.py",
    "usercustomize.py",
    "*.pth",
    ".mocharc.*",
    "jest.config.*",
    "vitest.config.*",
)

# Which code of other people comes in, and from where: it runs on every machine that installs the project.
BROUGHT_IN = (
    ".gitmodules",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "deno.lock",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "Cargo.lock",
    "go.sum",
    "Gemfile.lock",
    "composer.lock",
    "mix.lock",
    "Package.resolved",
    "packages.lock.json",
    "gradle.lockfile",
    "flake.lock",
)

# What only a person may change.
PROTECTED = (".locus/**", ".secrets.baseline", *AUTOMATION, *INSTRUCTIONS, *BEFORE_TESTS, *BROUGHT_IN)
