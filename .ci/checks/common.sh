# What the checks share; each is called as `.ci/checks/NAME smoke` or `.ci/checks/NAME deep`.
# `smoke` is what every change runs, in minutes. `deep` takes a time of its own, of which FUTUREPROOF_DEEP_SCALE is the percentage
# (400: four times as long), or FUTUREPROOF_DEEP_MINUTES minutes.
# A check ends with status 0 or 1. It says `skipped: …` for what this machine does not have and cannot install, and
# `seen: …` for each figure that docs/verification.md quotes.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
unset CARGO_TARGET_DIR RUSTFLAGS RUSTDOCFLAGS # the same artefacts, whoever runs this
export CARGO_TERM_COLOR=never RUST_BACKTRACE=1
PATH="$PWD/target/tools/bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

# The nightly compiler with the components that only it has.
nightly=nightly
host=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p')

mode=${1:-smoke}
case "$mode" in
smoke | deep) ;;
*)
    echo "usage: ${0##*/} smoke|deep" >&2
    exit 2
    ;;
esac

step() { printf '\n==> %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
seen() { printf 'seen: %s\n' "$*"; }
skipped() { printf 'skipped: %s\n' "$*"; }
deep() { [ "$mode" = deep ]; }

# Minutes for this check; the argument is the default.
minutes() { echo "${FUTUREPROOF_DEEP_MINUTES:-$(($1 * ${FUTUREPROOF_DEEP_SCALE:-100} / 100))}"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_packages() {
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"
}

# Makes sure that the nightly compiler has these components; false, with a line that says so, if it cannot have them.
need_nightly() {
    have rustup || {
        skipped "no rustup, so no nightly compiler"
        return 1
    }
    rustup run "$nightly" rustc --version >/dev/null 2>&1 ||
        rustup toolchain install "$nightly" --profile minimal --no-self-update >/dev/null 2>&1 || {
        skipped "no nightly compiler"
        return 1
    }
    local component installed
    installed=$(rustup component list --toolchain "$nightly" --installed 2>/dev/null || true)
    for component in "$@"; do
        grep -q "^$component\(-$host\|-preview.*\)\?\$" <<<"$installed" ||
            rustup component add "$component" --toolchain "$nightly" >/dev/null 2>&1 || {
            skipped "the nightly compiler has no component $component here"
            return 1
        }
    done
}

# A cargo subcommand by its name, built in this version if it is missing.
tool() {
    have "cargo-$1" && return
    CARGO_PROFILE_DEV_DEBUG=0 cargo install "cargo-$1" --version "$2" --locked --quiet --debug \
        --root target/tools --target-dir target/tools && return
    skipped "no cargo-$1"
    return 1
}
