/* status.h - the one closed list of outcomes.
 *
 * Every fallible av_ function returns one of these: < 0 it failed and changed nothing, 0 it is done,
 * > 0 there was nothing to do. Libraries return and never log; the shell of a program logs once.
 */
#ifndef AVVIK_BASE_STATUS_H
#define AVVIK_BASE_STATUS_H

/*      name          value  text */
#define AV_STATUS_LIST(X) /* clang-format off */ \
	X(NOTHING,         1, "nothing to do") \
	X(OK,              0, "done") \
	X(INVALID,        -1, "invalid input") \
	X(MALFORMED,      -2, "cannot be read") \
	X(TOO_LARGE,      -3, "larger than allowed") \
	X(NOT_FOUND,      -4, "not found") \
	X(EXISTS,         -5, "exists already") \
	X(FORBIDDEN,      -6, "not allowed") \
	X(CONFLICT,       -7, "conflicts with what is stored") \
	X(STALE,          -8, "made for another version") \
	X(FULL,           -9, "storage is full") \
	X(IO,            -10, "input or output failed") \
	X(DAMAGED,       -11, "the store is damaged") \
	X(NEWER,         -12, "written by a newer version") \
	X(LOCKED,        -13, "in use by another process") \
	X(MEMORY,        -14, "out of memory") \
	X(BUSY,          -15, "busy, come back") \
	X(TIMEOUT,       -16, "timed out") \
	X(CRYPTO,        -17, "does not decrypt or verify") \
	X(UNSUPPORTED,   -18, "not supported") \
	X(ERASED,        -19, "erased") \
	X(CLOSED,        -20, "closed") \
	X(INTERNAL,      -21, "internal error") /* clang-format on */

enum av_status {
#define X(name, value, text) AV_##name = (value),
	AV_STATUS_LIST(X)
#undef X
};

/* The text of a status, never NULL. */
const char *av_status_text(int status);
/* Its name without prefix ("NOT_FOUND"), never NULL. */
const char *av_status_name(int status);

#endif
