/* queue.h - commands that wait for their turn: one line per peer, served in rounds, so that one peer that
 * floods delays itself only. Bounded in bytes, as a whole and per peer. Pure: frames move through it unread.
 */
#ifndef AVVIK_DAEMON_QUEUE_H
#define AVVIK_DAEMON_QUEUE_H

#include "bus/socket.h"

struct av_queue;

struct av_queued {
	struct av_queued *next;
	struct av_frame frame;
	int64_t arrived_at_ms;
	uint64_t number; /* in order of arrival */
	size_t bytes;	 /* what it counts for */
	char key[AV_CURVE_TEXT];
	uint16_t route_size;
	unsigned char route[]; /* as in struct av_route */
};

/* NULL: out of memory. */
struct av_queue *av_queue_create(size_t bytes);
void av_queue_destroy(struct av_queue **queue); /* with all that waits */
/* Takes the frame over on AV_OK. AV_BUSY: the queue, or the peer's share of it (half of all), is full;
 * AV_MEMORY. */
int av_queue_push(struct av_queue *queue, const char *key, const struct av_route *route,
	struct av_frame *frame, int64_t arrived_at_ms);
/* At most `most` and about `bytes`, one of each peer in every round; they are the caller's then. The next
 * call goes on with the next peer. Answers how many. */
size_t av_queue_take(struct av_queue *queue, struct av_queued **ret_list, size_t most, size_t bytes);
void av_queued_free(struct av_queued *queued);
size_t av_queue_count(const struct av_queue *queue);
size_t av_queue_bytes(const struct av_queue *queue);

#endif
