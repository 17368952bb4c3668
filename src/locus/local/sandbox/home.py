"""What of a home directory shows in the sandbox, by name. Everything that is not named does not exist there."""

from __future__ import annotations

# Programs and languages, read-only. Of folders that also hold tokens only the harmless part is named.
TOOLCHAINS = (
    *("bin", ".local/bin", ".local/lib", ".local/pipx", ".local/share/pipx", ".local/share/uv", ".local/share/claude"),
    *(".local/share/mise", ".local/share/rtx", ".local/share/fnm", ".local/share/virtualenvs"),
    *(".pyenv", ".rye", ".poetry", "miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba"),
    *(".nvm", ".nodenv", ".volta", ".fnm", ".bun", ".deno", ".npm-global", ".yarn/bin", ".config/yarn/global"),
    *(".cargo/bin", ".cargo/env", ".rustup", ".goenv", "go/bin", ".gobrew", ".zvm", ".ghcup", ".cabal/bin", ".opam"),
    *(".rbenv", ".rvm", ".gem/ruby", ".sdkman", ".jenv", ".jdks", ".dotnet", ".asdf", ".nix-profile", ".elan"),
    *(".local/state/nix", ".juliaup", ".swiftly", ".phpenv", ".composer/vendor", ".config/composer/vendor"),
)

# Where tools keep what they downloaded. Each sandbox has its own: a package that an agent could put into the user's
# cache would be code that the user runs tomorrow.
CACHES = (
    *(".cache", ".npm", ".yarn/berry", ".local/share/pnpm/store", ".cargo/registry", ".cargo/git", "go/pkg"),
    *(".m2/repository", ".gradle", ".ivy2", ".sbt", ".nuget", ".gem/cache", ".cabal/packages", ".stack"),
    *(".pub-cache", ".composer/cache", ".conan2", ".hex", ".mix", ".julia"),
)

# Never shown, also when the user shows a folder around them; who needs one of them has to name it.
SECRETS = (
    *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".oci", ".config/gcloud", ".config/gh", ".config/hub"),
    *(".config/doctl", ".config/op", ".config/git", ".config/pip", ".config/rclone", ".config/sops", ".terraform.d"),
    *(".netrc", ".gitconfig", ".git-credentials", ".npmrc", ".yarnrc.yml", ".pypirc", ".pgpass", ".my.cnf"),
    *(".password-store", ".local/share/keyrings", ".vault-token", ".cargo/credentials", ".cargo/credentials.toml"),
    *(".m2/settings.xml", ".gradle/gradle.properties", ".gem/credentials", ".composer/auth.json"),
    *(".claude", ".claude.json", ".codex", ".mozilla", ".thunderbird", ".config/google-chrome", ".config/chromium"),
    *(".bash_history", ".zsh_history", ".python_history", ".psql_history", ".node_repl_history"),
)
