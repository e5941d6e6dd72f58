/* turn.h - the turn: one batch of items, one write transaction, one commit. A plain function of (batch, now,
 * randomness, store): no socket, no clock, no thread inside, so that it can be simulated.
 *
 * Order inside: commands and events as they arrived, due work after what arrived before its instant. Each
 * item: decode and check -> a repetition? -> handler -> events appended and applied, or a refusal that leaves
 * no trace. For feed items the cursor moves in the same transaction. Then the turn is sealed (Merkle root,
 * one signature), committed and synced. Only then are there replies.
 */
#ifndef AVVIK_DAEMON_TURN_H
#define AVVIK_DAEMON_TURN_H

#include "bus/feed.h"
#include "daemon/service.h"

enum av_item_kind { AV_ITEM_COMMAND, AV_ITEM_FEED, AV_ITEM_DUE, AV_ITEM_INNER, AV_ITEM_PRINCIPALS };

struct av_item {
	enum av_item_kind kind;
	int64_t arrived_at_ms;
	uint64_t order; /* the caller's: among those that arrived in the same millisecond */
	/* COMMAND: decoded by the loop's thread or here; NULL fields: here. */
	struct av_bytes wire;		      /* the frame; lives until the item is released */
	const struct av_principal *principal; /* of the table `principals`; checked again by the turn */
	/* FEED: one batch, all its events in order; stops where an event halts the feed. */
	const char *feed;
	const Avvik__V1__FeedBatch *batch;
	uint64_t after;
	const struct av_id *after_epoch; /* the epoch it was asked in; NULL: where the cursor stands */
	/* INNER */
	unsigned int inner_kind;
	/* PRINCIPALS: what changed */
	const struct av_principals_change *change;
	const unsigned char *change_hash;
	unsigned int change_count;

	/* What the turn answers. In one of the turn's two arenas: valid until the next but one av_turn_run,
	 * so that replies may be sent while the next turn is under way. */
	struct av_bytes reply; /* COMMAND: a packed Reply; empty only when the turn failed as a whole */
	int status;  /* AV_OK: done, the reply stands; FEED, DUE: AV_FULL, AV_BUSY: try again later; FEED:
		      * AV_STALE: it does not follow on the cursor, nothing was handled */
	bool halted; /* FEED: the feed stops here */
	const char *halt_text;
	bool more;   /* DUE: there is more due now */
	void *owner; /* the caller's */
};

struct av_turn_options {
	const struct av_service *service;
	struct av_store *store;
	struct av_keystore *keys;
	struct av_random *random;
	const char *instance;
	const Avvik__V1__Settings *settings;
	const unsigned char *sign_secret;  /* AV_SIGN_SECRET_SIZE: of this daemon */
	const unsigned char *grant_public; /* workflow's public signing key; NULL: grants are refused */
	size_t arena_bytes;		   /* limit of one turn's arena */
	const char *marks_path; /* file of the items under way, for av_turn_recover; NULL: none kept */
	bool stepped;
};

struct av_turn; /* belongs to the writer thread */

int av_turn_create(const struct av_turn_options *options, struct av_turn **ret_turn);
void av_turn_destroy(struct av_turn **turn);

/* At start: reads the mark of an item that ended the process; the second time it is set aside (feed:
 * quarantine; command: answered FAILED from then on; due work and inner items: held back for ten minutes
 * after each start; with an ItemSetAside event). Appends StoreMade to a new store, JournalRestored after a
 * restore. Goes on with doomed keys. */
int av_turn_recover(struct av_turn *turn, int64_t now_ms);

struct av_turn_result {
	uint64_t first, last; /* sequences appended; first > last: none */
	size_t events, refused, repeated, failed, passed_over, quarantined;
	bool keys_low;		 /* extend the key store soon */
	bool doomed;		 /* keys wait for destruction */
	int64_t next_due_ms;	 /* 0: nothing planned */
	bool feeds_resolved;	 /* an administrator has decided about a feed: start its reader again from the
				    cursor */
	const char *failed_text; /* what an item failed of, last: static, or NULL */
	int64_t commit_us;	 /* of the commits; 0: there was none */
};

/* AV_OK: committed; the items have their replies, refused ones and those set aside included. AV_FULL: nothing
 * changed; each command has the reply FULL; feed and due items are to be tried again. AV_IO: the process must
 * end without a reply. A batch that fails for an item's sake is bisected inside, so one bad item does not
 * hold up the others. */
int av_turn_run(struct av_turn *turn, struct av_item *items, size_t count, int64_t now_ms,
	struct av_turn_result *ret_result);
/* Where a producer's journal stands that refused this daemon's cursor: what an administrator may accept.
 * Called between turns. NULL: it has answered since, and there is nothing to accept. */
void av_turn_feed_head(struct av_turn *turn, const char *feed, const struct av_position *head);
/* Grows with each item and each commit: a watchdog's sign of life. From any thread. */
uint64_t av_turn_progress(const struct av_turn *turn);
/* Between turns, when there is time: make keys ahead, destroy doomed keys (each its own commit). AV_NOTHING:
 * not needed. */
int av_turn_upkeep(struct av_turn *turn, int64_t now_ms);

/* The number of the body and the row of a command frame, without decoding it: the loop thread's choice of
 * way. AV_MALFORMED: the frame is not a command at all; *ret_row NULL: not a command of this daemon. */
int av_command_peek(
	const struct av_service *service, struct av_bytes wire, const struct av_command_row **ret_row);
/* A reply without decoding: BUSY when a queue is full, say. */
struct av_bytes av_reply_plain(struct av_bytes wire, int reply_status, unsigned int retry_after_ms,
	const char *text, struct av_arena *arena);
/* Queries: the same dispatch over a read transaction, on the loop thread. The caller has set arena, txn,
 * time, random, keys, instance, settings, cache, principal, sign_public and daemon in ctx. The reply lives in
 * the arena. */
struct av_bytes av_query_run(
	const struct av_service *service, const Avvik__V1__Command *command, struct av_ctx *ctx);
/* Decode and check a command frame for the loop thread: fills *ret_command and the row, or makes the refusal.
 * AV_OK; else a packed reply is in *ret_reply. */
int av_command_decode(const struct av_service *service, struct av_bytes wire,
	const struct av_principal *principal, struct av_arena *arena, Avvik__V1__Command **ret_command,
	const struct av_command_row **ret_row, struct av_bytes *ret_reply);

/* A feed as the turn keeps it, beside the cursor. Loaded in a read transaction; AV_NOT_FOUND: never used. */
struct av_feed_standing {
	bool halted;
	uint64_t handled, passed_over, halted_at;
	unsigned int quarantined;
	const char *cause; /* why it has halted; dies with the transaction */
};
int av_feed_standing(
	struct av_txn *txn, const char *feed, struct av_arena *arena, struct av_feed_standing *ret_standing);

/* Replays the whole journal of `from` into the empty store `to` with the service's apply(). AV_DAMAGED. */
int av_replay(
	const struct av_service *service, struct av_store *from, struct av_store *to, uint64_t *ret_sequence);
/* Chain, turn seals, receipts, replay and compare; one line per finding through `say`. AV_OK: all hold. */
int av_verify(const struct av_service *service, struct av_store *store, const char *scratch_path,
	const unsigned char *sign_public, void (*say)(void *context, bool good, const char *line),
	void *context);

#endif
