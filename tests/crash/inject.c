/* inject.c - the injector: a library for LD_PRELOAD that kills a daemon, lets a call fail or delays it, at a
 * point that a rule names.
 *
 * It wraps the calls by which a daemon changes or learns anything:
 *
 *	write, writev, pwrite, fsync, fdatasync, msync, create (open of a new file), ftruncate, rename, link,
 *	unlink, unlinkat, mkdir, rmdir;
 *	send, sendto, sendmsg, recv, recvfrom, recvmsg; read of a socket or of a wake-up between threads.
 *
 * Only in programs whose name begins with "avvik-": the rest is left alone, so that it can be set for
 * `avvik up` and all its children.
 *
 *	AVVIK_INJECT        the rules, separated by ';'; or @FILE, which holds one a line and is read again when
 *	                    it changes
 *	AVVIK_INJECT_HIT    a file to which each rule that fires appends the name of the point
 *	AVVIK_INJECT_COUNT  a folder with a file for each daemon, in which the points met are counted
 *	                    (tests/support/inject.py)
 *	AVVIK_INJECT_PORTS  which port is what: "41001=intake.command,41002=intake.feed"
 *	AVVIK_INJECT_PHASE  the phase a daemon begins in: "start" when nothing is said
 *	AVVIK_INJECT_LOG    a folder for the power cut's logs (inject_log.c)
 *
 * A rule is a pattern (fnmatch) of names of points, and words:
 *
 *	intake/run/fdatasync/data/data.mdb/turn nth=3  when=before do=kill
 *	intake/run/pwrite/data*                 nth=1+ do=errno=ENOSPC
 *	*fdatasync*                             nth=1+ when=after do=delay=200
 *
 *	nth=N    the N-th call that matches, counted in each process from the time the rule was read; N+: and all
 *	         after it
 *	when=    before (as when nothing is said), half (half of what is to be written or sent is, then it
 *	         happens), after
 *	do=      kill (SIGKILL; as when nothing is said), errno=EIO|ENOSPC|EINTR|…, delay=MILLISECONDS
 *
 * The name of a point is daemon/phase/call/what it works on/what for; inject_point.c tells how it is found.
 */
#define _GNU_SOURCE
#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static bool active;
static _Thread_local bool inside;

/* --- around a call --- */

struct plan {
	size_t size; /* so much of it is to be done */
	bool met;
	struct rule rule;
};

static bool act(const struct rule *rule)
{
	struct timespec moment = {rule->value / 1000, (long)(rule->value % 1000) * 1000000};
	switch (rule->action) {
	case KILL:
		kill(getpid(), SIGKILL);
		for (;;)
			pause();
	case DELAY:
		nanosleep(&moment, NULL);
		return true;
	case ERRNO:
		break;
	}
	errno = rule->value;
	return false;
}

/* false: the call fails, with errno set. */
static bool enter(struct call *call, struct plan *plan)
{
	int error = errno;
	*plan = (struct plan){.size = call->size};
	if (!active || inside)
		return true;
	inside = true;
	plan->met = rule_meets(call, &plan->rule);
	errno = error;
	bool done = true;
	if (plan->met && plan->rule.when == BEFORE)
		done = act(&plan->rule);
	else if (plan->met && plan->rule.when == HALF)
		plan->size = call->size / 2;
	if (done)
		log_before(call);
	inside = false;
	return done;
}

static ssize_t leave(const struct call *call, const struct plan *plan, ssize_t done)
{
	int error = errno;
	if (!active || inside)
		return done;
	inside = true;
	log_after(call, done);
	if (done >= 0)
		point_watch(call);
	errno = error;
	if (plan->met && plan->rule.when != BEFORE && !act(&plan->rule))
		done = -1;
	inside = false;
	return done;
}

/* --- the calls --- */

#define REAL(result, name, ...)             \
	static result (*real)(__VA_ARGS__); \
	struct plan plan;                   \
	if (!real)                          \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

/* NOLINTBEGIN(bugprone-macro-parentheses): it is a statement */
#define DO(type, expression) \
	return enter(&call, &plan) ? (type)leave(&call, &plan, (ssize_t)(expression)) : -1
/* NOLINTEND(bugprone-macro-parentheses) */

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	REAL(ssize_t, pwrite64, int, const void *, size_t, off_t);
	struct call call = {
		"pwrite", .fd = fd, .data = data, .size = size, .offset = offset, .divisible = true};
	DO(ssize_t, real(fd, data, plan.size, offset));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
	return pwrite(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
	REAL(ssize_t, write, int, const void *, size_t);
	struct call call = {
		"write", .fd = fd, .data = data, .size = size, .offset = AT_POSITION, .divisible = true};
	DO(ssize_t, real(fd, data, plan.size));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	REAL(ssize_t, writev, int, const struct iovec *, int);
	struct call call = {"writev", .fd = fd, .parts = parts, .offset = AT_POSITION, .divisible = true};
	struct iovec some[1024];
	for (int i = 0; i < count; i++)
		call.size += parts[i].iov_len;
	if (count > 1024 || !enter(&call, &plan))
		return -1;
	int used = 0;
	for (size_t left = plan.size; used < count && left > 0; used++) {
		some[used] = parts[used];
		if (some[used].iov_len > left)
			some[used].iov_len = left;
		left -= some[used].iov_len;
	}
	return leave(&call, &plan, real(fd, some, used));
}

/* Of all that is opened only what is made. */
int open(const char *path, int flags, ...)
{
	REAL(int, open64, const char *, int, mode_t);
	struct call call = {"create", .fd = -1, .path = path};
	mode_t mode = 0;
	if (flags & O_CREAT) {
		va_list more;
		va_start(more, flags);
		mode = va_arg(more, mode_t);
		va_end(more);
	}
	if (!active || inside || !(flags & O_CREAT) || access(path, F_OK) == 0)
		return real(path, flags, mode);
	DO(int, real(path, flags, mode));
}

int fsync(int fd)
{
	REAL(int, fsync, int);
	struct call call = {"fsync", .fd = fd};
	DO(int, real(fd));
}

int fdatasync(int fd)
{
	REAL(int, fdatasync, int);
	struct call call = {"fdatasync", .fd = fd};
	DO(int, real(fd));
}

int msync(void *at, size_t size, int flags)
{
	REAL(int, msync, void *, size_t, int);
	struct call call = {"msync", .fd = -1, .path = "map"};
	DO(int, real(at, size, flags));
}

int ftruncate(int fd, off_t size)
{
	REAL(int, ftruncate64, int, off_t);
	struct call call = {"ftruncate", .fd = fd, .offset = size};
	DO(int, real(fd, size));
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

int rename(const char *from, const char *to)
{
	REAL(int, rename, const char *, const char *);
	struct call call = {"rename", .fd = -1, .path = from, .to = to};
	DO(int, real(from, to));
}

int link(const char *from, const char *to)
{
	REAL(int, link, const char *, const char *);
	struct call call = {"link", .fd = -1, .path = from, .to = to};
	DO(int, real(from, to));
}

int unlink(const char *path)
{
	REAL(int, unlink, const char *);
	struct call call = {"unlink", .fd = -1, .path = path};
	DO(int, real(path));
}

int unlinkat(int folder, const char *name, int flags)
{
	REAL(int, unlinkat, int, const char *, int);
	struct call call = {"unlinkat", .fd = folder, .path = name};
	DO(int, real(folder, name, flags));
}

int mkdir(const char *path, mode_t mode)
{
	REAL(int, mkdir, const char *, mode_t);
	struct call call = {"mkdir", .fd = -1, .path = path};
	if (access(path, F_OK) == 0)
		return real(path, mode); /* which fails: no point */
	DO(int, real(path, mode));
}

int rmdir(const char *path)
{
	REAL(int, rmdir, const char *);
	struct call call = {"rmdir", .fd = -1, .path = path};
	DO(int, real(path));
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	REAL(ssize_t, send, int, const void *, size_t, int);
	struct call call = {"send", .fd = fd, .data = data, .size = size, .divisible = true};
	DO(ssize_t, real(fd, data, plan.size, flags));
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
	REAL(ssize_t, sendto, int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	struct call call = {"sendto", .fd = fd, .data = data, .size = size, .divisible = true};
	DO(ssize_t, real(fd, data, plan.size, flags, to, to_size));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	REAL(ssize_t, sendmsg, int, const struct msghdr *, int);
	struct call call = {"sendmsg", .fd = fd};
	if (message->msg_iovlen > 0)
		call.data = message->msg_iov[0].iov_base, call.size = message->msg_iov[0].iov_len;
	DO(ssize_t, real(fd, message, flags));
}

/* Of what is received only what is there is a point: most calls ask in vain. */

static ssize_t peek(int fd, void *first, size_t size)
{
	static ssize_t (*real)(int, void *, size_t, int);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "recv");
	int error = errno;
	ssize_t there = active && !inside ? real(fd, first, size, MSG_PEEK | MSG_DONTWAIT) : -1;
	errno = error;
	return there;
}

ssize_t recv(int fd, void *room, size_t size, int flags)
{
	REAL(ssize_t, recv, int, void *, size_t, int);
	char first[64];
	ssize_t there = flags & MSG_PEEK ? -1 : peek(fd, first, sizeof first);
	struct call call = {"recv", .fd = fd, .data = first, .size = there > 0 ? (size_t)there : 0};
	if (there <= 0)
		return real(fd, room, size, flags);
	DO(ssize_t, real(fd, room, size, flags));
}

ssize_t recvfrom(int fd, void *room, size_t size, int flags, struct sockaddr *from, socklen_t *from_size)
{
	REAL(ssize_t, recvfrom, int, void *, size_t, int, struct sockaddr *, socklen_t *);
	char first[64];
	ssize_t there = flags & MSG_PEEK ? -1 : peek(fd, first, sizeof first);
	struct call call = {"recvfrom", .fd = fd, .data = first, .size = there > 0 ? (size_t)there : 0};
	if (there <= 0)
		return real(fd, room, size, flags, from, from_size);
	DO(ssize_t, real(fd, room, size, flags, from, from_size));
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	REAL(ssize_t, recvmsg, int, struct msghdr *, int);
	char first[64];
	ssize_t there = flags & MSG_PEEK ? -1 : peek(fd, first, sizeof first);
	struct call call = {"recvmsg", .fd = fd, .data = first, .size = there > 0 ? (size_t)there : 0};
	if (there <= 0)
		return real(fd, message, flags);
	DO(ssize_t, real(fd, message, flags));
}

ssize_t read(int fd, void *room, size_t size)
{
	REAL(ssize_t, read, int, void *, size_t);
	struct call call = {"read", .fd = fd};
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	if (!active || inside || !point_is_channel(fd) || poll(&ready, 1, 0) != 1)
		return real(fd, room, size);
	DO(ssize_t, real(fd, room, size));
}

__attribute__((constructor)) static void start(void)
{
	static const char prefix[] = "avvik-";
	const char *program = program_invocation_short_name;
	if (strncmp(program, prefix, sizeof prefix - 1) != 0)
		return;
	const char *daemon = program + sizeof prefix - 1;
	inside = true;
	point_start(daemon);
	log_start(daemon);
	rule_start(daemon);
	inside = false;
	active = true;
}
