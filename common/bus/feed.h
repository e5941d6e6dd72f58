/* feed.h - both ends of a feed: the server that shows a journal, the client that follows one. See feed.proto.
 *
 * Both live on the loop thread. The server reads in short transactions, at most one batch each. The client
 * keeps at most one batch ahead of what its owner has finished.
 */
#ifndef AVVIK_BUS_FEED_H
#define AVVIK_BUS_FEED_H

#include "avvik/v1/envelope.pb-c.h"
#include "avvik/v1/feed.pb-c.h"
#include "bus/socket.h"
#include "store/store.h"

#define AV_FEED_EVENTS_MAX 10000
#define AV_FEED_BYTES_MAX (4 * 1024 * 1024)

/* The number of a packed event's body (its oneof field), read from the wire bytes without unpacking; 0: none,
 * or not an event. */
unsigned int av_event_number(struct av_bytes packed);

/* At most 256 readers wait at a time, 16 under one key; others are told BUSY. A batch holds at least one
 * event that there is, though it alone be larger than the credit in bytes (a directory may be):
 * AV_FEED_FRAME_MAX bounds it. */
#define AV_FEED_FRAME_MAX (16 * 1024 * 1024)
#define AV_FEED_READERS_MAX 256
#define AV_FEED_READERS_PER_KEY 16
#define AV_FEED_SCAN_MAX 20000 /* journal entries read for one batch */

struct av_feed_server;

struct av_feed_server_options {
	struct av_bus *bus;
	struct av_store *store;
	const char *endpoint;
	/* May a principal see events of this type (body number)? Called once per number and view; rights in
	 * force. */
	bool (*may_see)(void *context, const struct av_principal *principal, unsigned int number);
	/* Opened addresses of an event for principals with AV_MAY_CONTACTS, in the order of the event's
	 * ContentRefs that have a CONTACT part. Adds to item->parts (arena). NULL: never. AV_ERASED ones are
	 * left out by an empty part. < 0: the batch ends before this event; when it would be empty the reader
	 * is told BUSY. */
	int (*open_parts)(void *context, struct av_txn *txn, const Avvik__V1__Event *event,
		struct av_arena *arena, Avvik__V1__FeedItem *item);
	void *context;
};
int av_feed_server_open(const struct av_feed_server_options *options, struct av_feed_server **ret_server,
	const char **ret_why);
void av_feed_server_close(struct av_feed_server **server);
const char *av_feed_server_endpoint(const struct av_feed_server *server);
/* The journal has grown: waiting readers are served. */
void av_feed_server_advanced(struct av_feed_server *server);
size_t av_feed_server_waiting(const struct av_feed_server *server);

struct av_feed_client;

struct av_feed_batch {
	struct av_frame frame; /* the owner releases it after the turn; may be empty: batch lives in the arena
				  alone */
	const Avvik__V1__FeedBatch *batch;
	struct av_arena *arena;	  /* the owner destroys it */
	uint64_t after;		  /* the sequence it was asked after */
	struct av_id after_epoch; /* in this epoch; zero: from the start */
};

struct av_feed_client_options {
	struct av_bus *bus;
	const char *name; /* of the feed: the producer's name */
	const char *endpoint, *server_key;
	struct av_cursor start; /* where the owner stands */
	uint32_t events, bytes; /* the credit of one request */
	/* A batch that follows on what was handed over before. The owner takes it over and calls
	 * av_feed_client_done when its turn is committed. A batch without items moves the cursor only (also
	 * into a new epoch). */
	void (*on_batch)(void *context, struct av_feed_batch batch);
	/* The producer refused the cursor or the reader: the client has stopped. */
	void (*on_refused)(void *context, Avvik__V1__FeedRefusalCode code, const char *text);
	void *context;
};
int av_feed_client_open(const struct av_feed_client_options *options, struct av_feed_client **ret_client,
	const char **ret_why);
void av_feed_client_close(struct av_feed_client **client);
/* Once for each batch handed over, in order, also after a refusal or a restart. May hand over the next one.
 */
void av_feed_client_done(struct av_feed_client *client);
/* Start again from here, after an administrator's word; also out of the stop. */
void av_feed_client_restart(struct av_feed_client *client, const struct av_cursor *cursor);
/* Where the producer's journal stands that last refused this client's position. AV_NOT_FOUND: it was not
 * refused so, or has been answered since. */
int av_feed_client_refused_head(const struct av_feed_client *client, struct av_position *ret_head);
bool av_feed_client_connected(const struct av_feed_client *client); /* answered within the last 10 s */
uint64_t av_feed_client_head(const struct av_feed_client *client);  /* the producer's, as last told */
/* Nothing handed over that is not done, and the last batch reached the producer's head. */
bool av_feed_client_at_head(const struct av_feed_client *client);

#endif
