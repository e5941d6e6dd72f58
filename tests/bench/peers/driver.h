/* driver.h - the client that every peer is measured with: the same loop, the same messages, the same figures.
 *
 * A peer is one file with a `struct peer`: how it is published to, and how it is consumed from. driver.c
 * holds main and the publishers, consumer.c the consumer that stores what it takes. One thread drives all
 * connections.
 */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BODY_SIZE 1024

struct peer {
	const char *name;
	const char *const
		*flags; /* words on the command line that take no value; NULL-terminated; may be NULL */

	/* Makes what is published to, anew: table, stream, queue. May be NULL. */
	bool (*prepare)(void);

	/* One publisher's connection. NULL: not now (the driver may try again), with the reason on stderr. */
	void *(*open)(unsigned int publisher);
	/* Takes message `number` of this publisher; it may stay in a buffer until send. */
	bool (*publish)(void *line, uint64_t number);
	/* What was taken is on its way, as far as the socket accepts it. May be NULL. */
	bool (*send)(void *line);
	/* Reports every acknowledgement that has arrived (driver_acknowledged), without waiting. */
	bool (*take)(void *line);
	/* What to wait for. */
	struct pollfd (*wants)(void *line);
	/* Instead of wants, for what poll(2) cannot wait for. */
	bool (*wait)(void **lines, unsigned int count, int timeout_ms);
	void (*close)(void *line);
	/* A publisher's next messages are taken only when all before are acknowledged. May be NULL: no. */
	bool (*lockstep)(void);

	/* The consumer: receive waits for a batch, at most `room` messages, and gives each to consumer_put;
	 * accept comes when the batch is stored durably. `stored`: messages stored so far. */
	void *(*consume)(void);
	bool (*receive)(void *source, unsigned int room);
	bool (*accept)(void *source, uint64_t stored);
	void (*leave)(void *source);
};

extern const struct peer peer; /* the one this program is built with */

/* For peers. */
const char *driver_word(const char *name, const char *otherwise); /* --name value */
long driver_number(const char *name, long otherwise);
void driver_acknowledged(unsigned int publisher, uint64_t number, bool good);
/* The message: BODY_SIZE bytes, no two alike; its number stands in its first eight bytes. */
const unsigned char *driver_body(unsigned int publisher, uint64_t number);
bool driver_failed(const char *what, const char *why); /* says so; false */
int64_t driver_now_us(void);			       /* monotonic */
int64_t driver_wall_us(void);

/* The consumer's half: the message and the position after it, stored with the batch in one synced
 * transaction. */
void consumer_put(const void *at, size_t at_size, const void *body, size_t size);
/* Stores `before` messages, says so, and then `count` more. */
int consumer_run(const char *folder, uint64_t before, uint64_t count);

#endif
