# What the checks by the compiler's sanitizers share; to be sourced after common.sh.
# shellcheck shell=bash

# Optimised a little: nearer to what runs in the field, and several times as fast.
export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only CARGO_PROFILE_DEV_INCREMENTAL=false
# A random program may take longer than it does otherwise, and a failing one is not made smaller: that is the tests' affair.
export FUTUREPROOF_STRESS_GUARD=300 FUTUREPROOF_STRESS_SHRINK=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
# What does not depend on how fast the code is or how much memory there is. The stacks that some tests ask for are too
# small for sanitized code, and what a sanitizer does with the impossible ones is its own affair.
# shellcheck disable=SC2034 # the checks use it
all=(
    --test=races --test=counts_add_up
    --test=loop_{panics,nesting,regressions,fail_fast,as_if_sequential,stop}
    --test=task_{scope,results,panics,nesting,stop,failures,wait,await,pool_life}
    --test=task_handle{,_finish,_stop,_random,_retry,_timeout}
    -- --skip the_stack_does_not_grow --skip whose_threads_cannot_start --skip without_any_thread
    --skip tasks_that_are_joined_inside_tasks_are_counted
)

# Builds and runs tests of the core by `cargo_test`, which each check sets, for so many seconds at most.
sanitize() {
    local what=$1 limit=$2 status=0 since arg build=()
    shift 2
    for arg; do
        [ "$arg" != -- ] || break
        build+=("$arg")
    done
    # The limit is for running them.
    timeout --kill-after=10 1800 "${cargo_test[@]}" -p futureproof-core --no-run "${build[@]}" >"$log" 2>&1 || {
        tail -n 200 "$log"
        echo "$what: does not build" >&2
        failed=1
        return
    }
    since=$SECONDS
    timeout --kill-after=10 "$limit" "${cargo_test[@]}" -p futureproof-core "$@" >"$log" 2>&1 || status=$?
    if [ "$status" != 0 ] || ! grep -q '\.\.\. ok$' "$log"; then
        tail -n 200 "$log"
        echo "$what: status $status" >&2
        failed=1
        return
    fi
    seen "$what: $(grep -c "\.\.\. ok\$" "$log") tests passed in $((SECONDS - since)) s"
    # What the random programs say of themselves.
    grep -oE '[0-9]+ programs, .*' "$log" | while read -r line; do seen "$what: $line"; done || true
}
