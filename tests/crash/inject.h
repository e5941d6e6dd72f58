/* inject.h - the parts of the injector (inject.c tells what it is and how to use it). */
#ifndef AVVIK_TESTS_INJECT_H
#define AVVIK_TESTS_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct iovec;

/* One system call that is about to be done. */
struct call {
	const char *name;
	int fd;			   /* -1: it has none */
	const char *path;	   /* of calls that name a file */
	const char *to;		   /* the second name of rename and link */
	const void *data;	   /* what is written or sent; the first of what is there to be received */
	const struct iovec *parts; /* of writev, instead */
	size_t size;
	off_t offset;	/* of a write into a file; of a truncation its size */
	bool divisible; /* half of it can be done */
};

#define AT_POSITION ((off_t)-1) /* of a write: where the descriptor stands */
#define POINT_MAX 160
#define POINT_PATH 4096

enum when { BEFORE, HALF, AFTER };
enum action { KILL, ERRNO, DELAY };

/* inject_rule.c: a line of AVVIK_INJECT. */
struct rule {
	char pattern[POINT_MAX];
	unsigned long nth, met;
	bool on; /* N+ */
	enum when when;
	enum action action;
	int value; /* errno, milliseconds */
};
/* Reads the rules, and where to count. */
void rule_start(const char *daemon);
/* Counts the call, and tells what is to happen at it. */
bool rule_meets(const struct call *call, struct rule *ret_rule);

/* inject_point.c: "intake/run/fdatasync/data/data.mdb/turn", the name of the point at which a call is. */
void point_start(const char *daemon);
bool point_names(const struct call *call, char ret_name[POINT_MAX]); /* false: it is too long */
/* The call was done: where in its life is the daemon now? */
void point_watch(const struct call *call);

/* The whole path of what a call works on; of a socket its name as in a point's. false: it has none. */
bool point_path(const struct call *call, char ret_path[POINT_PATH]);
/* A socket, or a wake-up between threads (an eventfd, a pipe). */
bool point_is_channel(int fd);

/* inject_log.c: everything that reaches the disk, and when something was sent, for the power cut. Between the
 * two nothing else is done, so that what is logged stands in the order in which it happened. */
void log_start(const char *daemon);
void log_before(const struct call *call);
void log_after(const struct call *call, ssize_t done);

#endif
