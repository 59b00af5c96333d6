/* The loops of the table in C with OpenMP, as gcc's users write them. `mix` and `spin` equal those of src/body.rs. */

#include <stdint.h>

static inline uint64_t mix(uint64_t x) {
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t spin(uint64_t rounds, uint64_t x) {
    for (uint64_t round = 0; round < rounds; round++) {
        x = mix(x);
    }
    return x;
}

uint64_t openmp_sum_mix(uint64_t items, int threads) {
    uint64_t sum = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : sum)
    for (uint64_t i = 0; i < items; i++) {
        sum += mix(i);
    }
    return sum;
}

uint64_t openmp_sum_spin(uint64_t items, uint64_t rounds, int threads) {
    uint64_t sum = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : sum)
    for (uint64_t i = 0; i < items; i++) {
        sum += spin(rounds, i);
    }
    return sum;
}

void openmp_update(uint64_t *values, uint64_t length, int threads) {
#pragma omp parallel for num_threads(threads)
    for (uint64_t i = 0; i < length; i++) {
        values[i] = (values[i] ^ (values[i] >> 7)) + 1;
    }
}

/* One item in a hundred takes `slow` rounds, the others take `fast`. */
static inline uint64_t skewed(uint64_t fast, uint64_t slow, uint64_t x) {
    return spin(mix(x) % 100 == 0 ? slow : fast, x);
}

uint64_t openmp_skewed_dynamic(uint64_t items, uint64_t fast, uint64_t slow, int threads) {
    uint64_t sum = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : sum) schedule(dynamic)
    for (uint64_t i = 0; i < items; i++) {
        sum += skewed(fast, slow, i);
    }
    return sum;
}

uint64_t openmp_skewed_guided(uint64_t items, uint64_t fast, uint64_t slow, int threads) {
    uint64_t sum = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : sum) schedule(guided)
    for (uint64_t i = 0; i < items; i++) {
        sum += skewed(fast, slow, i);
    }
    return sum;
}

uint64_t openmp_small_loops(uint64_t loops, uint64_t length, uint64_t rounds, int threads) {
    uint64_t total = 0;
    for (uint64_t loop = 0; loop < loops; loop++) {
        uint64_t sum = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : sum)
        for (uint64_t i = 0; i < length; i++) {
            sum += spin(rounds, loop * length + i);
        }
        total += sum;
    }
    return total;
}
