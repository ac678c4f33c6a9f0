/* Streams the draws of simulation/randomness.py to standard output, 64 bits each, for a battery of statistical tests.

   mixing ORDER [KEY]       ORDER is one of
     names    ticks in the outer loop, 100,000 hashed names (as daughters are named) in the inner one
     plain    the same with the names 0, 1, 2, ..., 99,999: the hardest input, neighbours differ in one or two bits
     ticks    hashed names in the outer loop, 10,000 ticks (about 70 days) in the inner one
   KEY is the hashed seed and purpose in hexadecimal; left out, it is that of seed 1 and purpose "contact.hit".

   cc -O2 -o mixing mixing.c && ./mixing names | dieharder -a -g 200                                                  */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)
#define NAMES 100000
#define TICKS 10000

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static uint64_t stream_at(uint64_t key, uint64_t tick) { return mix(key + tick * GOLDEN); }

static uint64_t name_from(uint64_t stream, uint64_t parent) { return mix(stream ^ parent) & (UINT64_MAX >> 1); }

static void send(const uint64_t *draws, size_t count)
{
    if (fwrite(draws, sizeof *draws, count, stdout) != count) exit(0); /* the battery has read enough */
}

int main(int count, char **words)
{
    static uint64_t names[NAMES], draws[NAMES];
    const char *order = count > 1 ? words[1] : "";
    uint64_t key = count > 2 ? strtoull(words[2], NULL, 16) : UINT64_C(0x70255EFD71FB851C);
    int plain = !strcmp(order, "plain");

    if (plain || !strcmp(order, "names")) {
        for (uint64_t i = 0; i < NAMES; i++) names[i] = plain ? i : name_from(stream_at(~key, 0), i);
        for (uint64_t tick = 0;; tick++) {
            uint64_t stream = stream_at(key, tick);
            for (int i = 0; i < NAMES; i++) draws[i] = mix(stream ^ names[i]);
            send(draws, NAMES);
        }
    }
    if (!strcmp(order, "ticks")) {
        for (uint64_t i = 0;; i++) {
            uint64_t name = name_from(stream_at(~key, 0), i);
            for (uint64_t tick = 0; tick < TICKS; tick++) draws[tick] = mix(stream_at(key, tick) ^ name);
            send(draws, TICKS);
        }
    }
    fputs("mixing: ORDER is names, plain or ticks\n", stderr);
    return 2;
}
