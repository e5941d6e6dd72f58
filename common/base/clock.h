/* clock.h - the only file that reads a clock; everything else gets the time as an argument.
 *
 * Two kinds: real (CLOCK_REALTIME), and stepped (development): the instant is an 8-byte big-endian count of
 * milliseconds in a file in the state folder, mapped read-only, that a driver moves forward with one atomic
 * store. I/O time-outs always use av_clock_monotonic_ms().
 */
#ifndef AVVIK_BASE_CLOCK_H
#define AVVIK_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct av_clock {
	const void *mapped; /* of the stepped clock's file; NULL: real */
	int64_t fixed_ms;   /* of av_clock_fixed; 0: not fixed */
};

struct av_clock av_clock_real(void);
/* A clock that stands still, for tests of a turn; move it by assigning fixed_ms. */
struct av_clock av_clock_fixed(int64_t now_ms);
/* AV_NOT_FOUND: no such file; AV_DAMAGED: not 8 bytes long; AV_IO. */
int av_clock_open_stepped(const char *path, struct av_clock *ret_clock);
void av_clock_close(struct av_clock *clock);
bool av_clock_is_stepped(const struct av_clock *clock);
/* UTC, milliseconds since 1970. */
int64_t av_clock_now_ms(const struct av_clock *clock);
int64_t av_clock_monotonic_ms(void);
int64_t av_clock_monotonic_us(void);
/* For the driver: creates the file, or moves it forward. AV_INVALID when `now_ms` would go backwards or is
 * negative; AV_DAMAGED: not 8 bytes long; AV_IO. */
int av_clock_step(const char *path, int64_t now_ms);

#endif
