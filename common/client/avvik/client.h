/* avvik/client.h - libavvik, the client library: what other systems include.
 *
 *	cc publisher.c $(pkg-config --cflags --libs avvik)
 *
 * A connection is synchronous, belongs to one thread, and reconnects by itself. Messages are protobuf-c's (packages
 * avvik.v1; headers <avvik/v1/…pb-c.h>). Statuses are those of base/status.h, installed as <avvik/base/status.h>.
 * Nothing here logs or ends the process.
 */
#ifndef AVVIK_CLIENT_H
#define AVVIK_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "avvik/v1/command.pb-c.h"
#include "avvik/v1/envelope.pb-c.h"
#include "avvik/v1/feed.pb-c.h"
#include "avvik/v1/summary.pb-c.h"

struct av_client; /* a connection to one daemon's command socket */

struct av_client_options {
	const char *endpoint;		     /* tcp://127.0.0.1:7101 */
	const char *server_key;		     /* its public key, Z85 */
	const char *public_key, *secret_key; /* own */
	int timeout_ms;			     /* of one call; 0: 10 000 */
};

/* AV_INVALID (a key or the endpoint), AV_MEMORY. No traffic yet. */
int av_client_open(const struct av_client_options *options, struct av_client **ret_client);
void av_client_close(struct av_client **client);

/* Sends and waits for the reply; sent again when the connection ends before that. Orders need command->reference: then a
 * call that timed out may be made again. AV_TIMEOUT:
 * no reply (the daemon is away, or the key is not allowed: CURVE refuses silently); what was sent with
 * av_client_send and not answered is given up with it. *ret_reply: free with avvik__v1__reply__free_unpacked(reply, NULL). */
int av_client_call(struct av_client *client, const Avvik__V1__Command *command, Avvik__V1__Reply **ret_reply);

/* Many at once: at most 1024 under way. Replies come in any order, known by their message_id (set by av_client_send when empty:
 * the number it returns, in decimal). AV_BUSY: receive first. */
int av_client_send(struct av_client *client, const Avvik__V1__Command *command, uint64_t *ret_number);
/* AV_TIMEOUT */
int av_client_receive(struct av_client *client, int timeout_ms, Avvik__V1__Reply **ret_reply);

/* Offline: does the receipt hold under the instance's public signing key (32 bytes), and for this report? packed_report
 * NULL: only the chain from commitment to signature. *ret_text: what was found, static. */
int av_client_check_receipt(const Avvik__V1__Receipt *receipt, const unsigned char public_key[32],
	const void *packed_report, size_t packed_size, const char **ret_text);

/* A feed, for sinks that keep their own cursor. */
struct av_feed;
/* endpoint: the feed socket */
int av_feed_open(const struct av_client_options *options, struct av_feed **ret_feed);
void av_feed_close(struct av_feed **feed);
/* The next batch after `after` (NULL: from the start). Keep batch->reached together with the work done. AV_TIMEOUT: none
 * yet; AV_BUSY: the producer is. *ret_reply is set to the refusal, to be freed too, with AV_FORBIDDEN, AV_CONFLICT (the
 * producer has another history) and AV_INVALID (not a request); NULL with any other failure. What follows on batch->reached
 * is asked for at once and comes while the work is done: another `after`, or fewer events, cost a new connection. */
int av_feed_next(struct av_feed *feed, const Avvik__V1__Cursor *after, uint32_t max_events, int timeout_ms,
	Avvik__V1__FeedReply **ret_reply); /* free with avvik__v1__feed_reply__free_unpacked */

/* The summary stream of one or more units, complete: gaps are repaired from the snapshot before they are seen. */
struct av_summary_stream;
struct av_summary_options {
	struct av_client_options command; /* reporting's command socket, for snapshots */
	const char *stream_endpoint;
	/* NULL-terminated; NULL: all that the rights allow (then `roots` are asked for) */
	const char *const *units;
	/* how long silence may last before the snapshot is held against the copy; 0: 10 000 */
	int heartbeat_ms;
};
int av_summary_open(const struct av_summary_options *options, struct av_summary_stream **ret_stream);
void av_summary_close(struct av_summary_stream **stream);
/* The next update. `snapshot`: it was made from a snapshot (first, or a gap): it holds every figure that differs from
 * the copy. AV_TIMEOUT. Free with avvik__v1__summary_update__free_unpacked. */
int av_summary_next(struct av_summary_stream *stream, int timeout_ms, Avvik__V1__SummaryUpdate **ret_update,
	bool *ret_snapshot);
/* The copy's figure; 0 when it is not known. */
int64_t av_summary_value(const struct av_summary_stream *stream, const Avvik__V1__FigureKey *key);
uint64_t av_summary_gaps(const struct av_summary_stream *stream); /* repaired so far */

#endif
