/* lent.c - bodies that ZeroMQ has yet to send: how many bytes, to each peer and in all.
 *
 * ZeroMQ's high-water mark counts messages. That bounds small ones; a peer that asks for a large thing again
 * and again and never reads would fill the memory long before it. So a large body is lent: the copy that
 * ZeroMQ holds says when it has gone out, which may be on ZeroMQ's own thread. That touches the two counts of
 * bytes and nothing else, so what they stand in is kept until ZeroMQ has ended.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <uthash.h>
#include <zmq.h>
#include "bus/bus_internal.h"

#define PEER_BYTES ((size_t)8 * 1024 * 1024) /* one body alone may be larger */
#define ALL_BYTES ((size_t)64 * 1024 * 1024)
#define PEERS_LEAST 64 /* no sweeping before there are so many */

struct borrower {
	unsigned char id[AV_ROUTE_MAX];
	atomic_size_t bytes;
	UT_hash_handle hh;
};

struct lent {
	struct borrower *borrowers; /* by routing id; those with nothing go when there are many */
	unsigned int sweep_at;
	atomic_size_t bytes;
	struct lent *next;
};

struct loan {
	struct lent *lent;
	struct borrower *borrower;
	size_t bytes;
	unsigned char body[];
};

struct lent *lent_create(struct av_bus *bus)
{
	struct lent *lent = calloc(1, sizeof(*lent));
	if (!lent)
		return NULL;
	lent->sweep_at = PEERS_LEAST;
	lent->next = bus->lent;
	bus->lent = lent;
	return lent;
}

static void forget(struct lent *lent, bool all)
{
	struct borrower *borrower, *next;
	HASH_ITER (hh, lent->borrowers, borrower, next) {
		if (!all && atomic_load(&borrower->bytes) > 0)
			continue;
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc,clang-analyzer-core.NullDereference): it stands there, and what was freed does not */
		HASH_DEL(lent->borrowers, borrower);
		free(borrower);
	}
}

void lent_finish(struct av_bus *bus)
{
	while (bus->lent) {
		struct lent *lent = bus->lent;
		bus->lent = lent->next;
		forget(lent, true);
		free(lent);
	}
}

/* By its routing id, the first frame of the route. */
static struct borrower *borrower_of(struct lent *lent, const struct av_route *route)
{
	unsigned int size = (unsigned int)route->bytes[0] << 8 | route->bytes[1];
	struct borrower *borrower;
	HASH_FIND(hh, lent->borrowers, route->bytes + 2, size, borrower);
	if (borrower)
		return borrower;
	if (HASH_COUNT(lent->borrowers) >= lent->sweep_at) {
		forget(lent, false);
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): forget() took out what it freed */
		lent->sweep_at = AV_MAX(2 * HASH_COUNT(lent->borrowers), (unsigned int)PEERS_LEAST);
	}
	borrower = calloc(1, sizeof(*borrower));
	if (!borrower)
		return NULL;
	memcpy(borrower->id, route->bytes + 2, size);
	HASH_ADD(hh, lent->borrowers, id, size, borrower);
	return borrower;
}

static void given_back(void *data, void *hint)
{
	struct loan *loan = hint;
	(void)data;
	atomic_fetch_sub(&loan->lent->bytes, loan->bytes);
	atomic_fetch_sub(&loan->borrower->bytes, loan->bytes);
	free(loan);
}

int lent_body(struct lent *lent, const struct av_route *route, struct av_bytes body, zmq_msg_t *ret_msg)
{
	struct borrower *borrower = route->size > 2 ? borrower_of(lent, route) : NULL;
	if (!borrower)
		return AV_MEMORY;
	size_t theirs = atomic_load(&borrower->bytes), all = atomic_load(&lent->bytes);
	if ((theirs && theirs + body.size > PEER_BYTES) || (all && all + body.size > ALL_BYTES))
		return AV_BUSY;
	struct loan *loan = malloc(sizeof(*loan) + body.size);
	if (!loan)
		return AV_MEMORY;
	loan->lent = lent;
	loan->borrower = borrower;
	loan->bytes = body.size;
	memcpy(loan->body, body.data, body.size);
	if (zmq_msg_init_data(ret_msg, loan->body, body.size, given_back, loan) != 0) {
		free(loan);
		return AV_MEMORY;
	}
	atomic_fetch_add(&borrower->bytes, body.size);
	atomic_fetch_add(&lent->bytes, body.size);
	return AV_OK;
}
