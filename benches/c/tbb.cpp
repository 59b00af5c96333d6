// The loops of the table in C++ with oneTBB, as its users write them. `mix` and `spin` equal those of src/body.rs.

#include <cstdint>
#include <functional>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_reduce.h>
#include <tbb/task_arena.h>

namespace {

inline std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

inline std::uint64_t spin(std::uint64_t rounds, std::uint64_t x) {
    for (std::uint64_t round = 0; round < rounds; round++) {
        x = mix(x);
    }
    return x;
}

// Sums what the body makes of begin..end.
template <typename Body>
std::uint64_t sum(std::uint64_t begin, std::uint64_t end, const Body &body) {
    using Range = tbb::blocked_range<std::uint64_t>;
    return tbb::parallel_reduce(
        Range(begin, end), std::uint64_t{0},
        [&](const Range &range, std::uint64_t part) {
            for (std::uint64_t i = range.begin(); i != range.end(); i++) {
                part += body(i);
            }
            return part;
        },
        std::plus<std::uint64_t>());
}

} // namespace

extern "C" {

std::uint64_t tbb_sum_mix(std::uint64_t items, int threads) {
    return tbb::task_arena(threads).execute([&] { return sum(0, items, [](std::uint64_t i) { return mix(i); }); });
}

std::uint64_t tbb_sum_spin(std::uint64_t items, std::uint64_t rounds, int threads) {
    return tbb::task_arena(threads).execute(
        [&] { return sum(0, items, [=](std::uint64_t i) { return spin(rounds, i); }); });
}

void tbb_update(std::uint64_t *values, std::uint64_t length, int threads) {
    using Range = tbb::blocked_range<std::uint64_t>;
    tbb::task_arena(threads).execute([&] {
        tbb::parallel_for(Range(0, length), [=](const Range &range) {
            for (std::uint64_t i = range.begin(); i != range.end(); i++) {
                values[i] = (values[i] ^ (values[i] >> 7)) + 1;
            }
        });
    });
}

std::uint64_t tbb_skewed(std::uint64_t items, std::uint64_t fast, std::uint64_t slow, int threads) {
    return tbb::task_arena(threads).execute([&] {
        return sum(0, items, [=](std::uint64_t i) { return spin(mix(i) % 100 == 0 ? slow : fast, i); });
    });
}

std::uint64_t tbb_small_loops(std::uint64_t loops, std::uint64_t length, std::uint64_t rounds, int threads) {
    return tbb::task_arena(threads).execute([&] {
        std::uint64_t total = 0;
        for (std::uint64_t loop = 0; loop < loops; loop++) {
            total += sum(loop * length, (loop + 1) * length, [=](std::uint64_t i) { return spin(rounds, i); });
        }
        return total;
    });
}
}
