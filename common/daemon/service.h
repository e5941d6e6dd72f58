/* service.h - what a daemon hands to the skeleton: tables of messages over pure rules, and apply().
 *
 * The skeleton owns main, settings, logging, signals, sockets, loop, store, turns, feeds, health. A service
 * says what it answers, what it consumes, how an event changes its records, and what is due.
 *
 * A handler decides and never writes: it reads records through ctx->txn, asks the rules, and answers AV_OK
 * with events queued by av_emit(), or a refusal (a negative status, with faults) and then leaves no trace.
 * The dispatcher appends each event to the journal and gives it to apply(), the only code that changes
 * records: live, in replay and in verify. Within one item a handler does not see the effect of what it has
 * queued; the next item does.
 */
#ifndef AVVIK_DAEMON_SERVICE_H
#define AVVIK_DAEMON_SERVICE_H

#include "avvik/v1/command.pb-c.h"
#include "avvik/v1/envelope.pb-c.h"
#include "avvik/v1/feed.pb-c.h"
#include "avvik/v1/settings.pb-c.h"
#include "base/clock.h"
#include "bus/principals.h"
#include "store/content.h"
#include "wire/message.h"

struct av_daemon;

/* What one item sees and makes. Everything in it lives in ctx->arena, until the turn has ended. */
struct av_ctx {
	int64_t now_ms; /* of the turn: the same for all its items */
	struct av_arena *arena;
	struct av_txn *txn; /* read records with it */
	struct av_random *random;
	struct av_keystore *keys;
	const char *instance;
	const Avvik__V1__Settings *settings;
	void *cache; /* the service's, one per thread that runs handlers; validate it by the store */

	const unsigned char *sign_public; /* 32 bytes: what verifies this instance's receipts and turns */
	struct av_daemon *daemon; /* in queries on the loop thread; NULL in turns and in tests of turns */

	const struct av_principal
		*principal; /* who sent the command; NULL: a feed, time, or the daemon itself */
	const Avvik__V1__Command *command; /* NULL unless a command */
	struct av_bytes packed;		   /* the command's body in canonical form; empty unless an order */
	const unsigned char *packed_hash;  /* av_hash of it, 32 bytes; NULL where there is none */
	const struct av_faults *kept;	   /* of a command in a turn: what is kept in spite of its form */
	int64_t arrived_at_ms;		   /* of the item, at most now_ms */
	const Avvik__V1__Event *event;	   /* the feed's event; NULL unless a feed */
	const Avvik__V1__FeedItem *feed_item; /* with its opened parts */
	const char *feed;		      /* its name */

	struct av_faults faults;    /* of the reply; with AV_OK: circumstances that were kept */
	Avvik__V1__Reply *reply;    /* set its body (av_reply_body) and, if it helps, text */
	struct av_outcome *outcome; /* the skeleton's: what av_emit and av_seal_parts queue */
	unsigned int
		let_be; /* on_due: what it looked at and left as it is; the turn's limit counts it as an event */
};

/* AV_OK, or a refusal: INVALID, NOT_FOUND, FORBIDDEN, CONFLICT, STALE, WRONG STATE (AV_CLOSED), UNSUPPORTED,
 * ERASED, BUSY. From a feed handler a negative status sends the event to quarantine; AV_NOTHING passes it
 * over. */
typedef int av_handler(struct av_ctx *ctx, const ProtobufCMessage *body);

struct av_emit_options {
	const struct av_id *case_id;  /* NULL: that of the feed's event, else none */
	int64_t occurred_at_ms;	      /* 0: now; later than now is cut to now */
	const struct av_id *cause_id; /* NULL: the feed event's id, else none */
	const char *person;	      /* NULL: command->on_behalf_of, else none */
	const char *role;	      /* in which the person acted; NULL: not told */
	const char *taken_over_from;  /* the other system in which it was done; NULL: here */
	const struct av_id *trace_id; /* NULL: the command's trace, or the feed event's; else a new one */
	const struct av_id *event_id; /* NULL: a new one */
};
/* Queues an event: `number` is the Event oneof's (AVVIK__V1__EVENT__BODY_…), body lives in the arena. Answers
 * its id. */
struct av_id av_emit(
	struct av_ctx *ctx, unsigned int number, void *body, const struct av_emit_options *options);
size_t av_emitted(const struct av_ctx *ctx); /* how many are queued */
struct av_id av_ctx_id(struct av_ctx *ctx);  /* a new id */
/* The trace of what is being handled (16 bytes). */
struct av_id av_ctx_trace(struct av_ctx *ctx);

/* Queues content for sealing; stored if the item stands. `committed`: the bytes the commitment is made over
 * (copied pointer: arena). *ret_ref lives in the arena. AV_FULL: no key ahead. */
int av_seal_parts(struct av_ctx *ctx, const struct av_content_part *parts, size_t count,
	struct av_bytes committed, Avvik__V1__ContentRef **ret_ref);
/* Shorthand: one CaseText as a TEXT part. All strings may be NULL or empty; AV_NOTHING (and NULL) when all
 * are. */
int av_seal_text(struct av_ctx *ctx, const Avvik__V1__CaseText *text, Avvik__V1__ContentRef **ret_ref);
/* The item's reply gets a receipt for this leaf (sequence is filled in): the event queued last must be the
 * one it speaks of. The finished Receipt is set in body->receipt of ReportAccepted. Blinding as in the ref
 * just sealed. */
void av_want_receipt(struct av_ctx *ctx, const struct av_id *report_id, const Avvik__V1__ContentRef *ref,
	int64_t received_at_ms);
/* Erase content in this turn (with the ContentErased event that the handler emits); its key is destroyed
 * after commit. */
void av_erase_content(struct av_ctx *ctx, const struct av_id *content_id);
/* Checks a grant: signature by workflow's key, kind, principal, person, not expired, not used. On AV_OK the
 * body is in *ret_body and the grant is marked used by the ContentRead/ContentErased event (grant_id) that
 * follows. */
int av_grant_check(struct av_ctx *ctx, const Avvik__V1__Grant *grant, Avvik__V1__GrantBody **ret_body);
/* Signs one (workflow). */
int av_grant_sign(struct av_ctx *ctx, const Avvik__V1__GrantBody *body, Avvik__V1__Grant **ret_grant);
/* Receipt(s) of stored events, for GetReceipt: rebuilt from the journal's turn. */
int av_receipt_rebuild(struct av_ctx *ctx, uint64_t sequence, Avvik__V1__Receipt **ret_receipt);
/* A body for the reply, in the arena: av_reply_body(ctx, AVVIK__V1__REPLY__BODY_ACT_ACCEPTED). Initialised.
 */
void *av_reply_body(struct av_ctx *ctx, unsigned int number);

/* A new message of a type in the arena, initialised:  AV_NEW(ctx->arena, Avvik__V1__CaseOpened,
 * avvik__v1__case_opened) */
/* NOLINTBEGIN(bugprone-macro-parentheses): a type cannot stand in parentheses */
#define AV_NEW(arena, type, lower)                                 \
	__extension__({                                            \
		type *made_ = av_arena_alloc(arena, sizeof(type)); \
		if (made_)                                         \
			lower##__init(made_);                      \
		made_;                                             \
	})
/* NOLINTEND(bugprone-macro-parentheses) */

/* --- tables --- */

enum av_command_kind {
	AV_ORDER, /* goes through a turn; needs a reference, is safe to repeat */
	AV_QUERY, /* answered from a read transaction on the loop thread */
	AV_ONCE, /* through a turn, but never repeated from memory (its reply may hold content): OpenContent */
	AV_TRIAL /* through a turn as an order would go, and then nothing of it is kept: CheckTakeover */
};
enum av_command_flags {
	AV_LARGE = 1 << 0,   /* publish limits instead of command limits */
	AV_AT_FULL = 1 << 1, /* accepted when the map is nearly full */
};
struct av_command_row {
	unsigned int number; /* of Command's body */
	enum av_command_kind kind;
	unsigned int rights; /* any one of these */
	int flags;
	av_handler *handler;
	const char *emits; /* "ReportFiled", for --describe; several with commas */
};

struct av_event_row {
	const char *feed;    /* the producer's name */
	unsigned int number; /* of Event's body */
	av_handler *handler;
	const char *emits;
	bool patient; /* nothing that somebody waits for follows from it alone: it may wait some milliseconds
		       * for what comes next, to share its turn */
};

/* Things the daemon tells itself, by av_daemon_post(): the end of a delivery, say. Not journalled as such. */
typedef int av_inner_handler(struct av_ctx *ctx, unsigned int kind, struct av_bytes data);

struct av_service {
	const char *name;    /* "intake" */
	const char *purpose; /* one line */
	const struct av_table_decl *tables;
	size_t table_count;
	const struct av_command_row *commands;
	size_t command_count;
	const struct av_event_row
		*events; /* rows of one feed stand together; a feed of an unlisted event passes over */
	size_t event_count;

	/* The only code that changes records (and never anything else). Deterministic: no clock, no
	 * randomness, no settings. The arena lives until the item is done. Errors stick in the txn; answer
	 * AV_OK or a status for an event that cannot be. */
	int (*apply)(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena);

	/* What is due at ctx->now_ms: emits at most about `limit` events, so that a turn is short; *ret_more:
	 * there is more due now. NULL: nothing ever. */
	int (*on_due)(struct av_ctx *ctx, unsigned int limit, bool *ret_more);
	/* The earliest instant at which on_due has something; 0: nothing planned. */
	int64_t (*next_due)(struct av_txn *txn);

	av_inner_handler *on_inner;

	/* Which events have receipts: fills leaf (all but sequence and recorded_at). NULL: none. */
	bool (*receipt_leaf)(const Avvik__V1__Event *event, Avvik__V1__ReceiptLeaf *ret_leaf);
	/* As in feed.h. NULL: no addresses in its feed. */
	int (*open_parts)(void *keystore, struct av_txn *txn, const Avvik__V1__Event *event,
		struct av_arena *arena, Avvik__V1__FeedItem *item);

	void *(*cache_create)(void);
	void (*cache_destroy)(void *cache);

	/* On the loop thread. All may be NULL. */
	int (*start)(struct av_daemon *daemon); /* after the store is open, before sockets */
	void (*committed)(struct av_daemon *daemon, uint64_t first,
		uint64_t last);			 /* after replies, after feeds are told; first > last:
						  * only what stands beside the journal changed */
	bool (*quiet)(struct av_daemon *daemon); /* no I/O of its own under way */
	bool (*busy)(struct av_daemon *daemon); /* a drain waits, so long as it may, for I/O that has begun */
	void (*stop)(struct av_daemon *daemon); /* drain: end I/O */
	void (*health)(struct av_daemon *daemon, struct av_txn *txn,
		struct av_arena *arena); /* av_health() for each issue */
	/* --describe: after the message tables. */
	void (*describe)(void *stream);
	/* XPUB (reporting). */
	bool (*may_subscribe)(
		struct av_daemon *daemon, const struct av_principal *principal, struct av_bytes topic);
	/* Settings that concern it alone; faults name remedy. NULL: none. */
	int (*check_settings)(const Avvik__V1__Settings *settings, struct av_faults *faults);
};

/* The whole of a daemon's main(): options --settings FILE [--describe | --verify | --backup DIR | --restore
 * DIR | --version | --help]. Returns the exit code. */
int av_daemon_main(const struct av_service *service, int argc, char **argv);

/* --- for hooks on the loop thread --- */

void *av_daemon_loop(struct av_daemon *daemon); /* uv_loop_t * */
struct av_store *av_daemon_store(struct av_daemon *daemon);
struct av_keystore *av_daemon_keys(struct av_daemon *daemon);
const Avvik__V1__Settings *av_daemon_settings(const struct av_daemon *daemon);
const char *av_daemon_state(const struct av_daemon *daemon); /* the instance's state folder */
int64_t av_daemon_now_ms(const struct av_daemon *daemon);
/* Queue an inner item for the next turn; the data is copied. AV_BUSY when the queue is full. */
int av_daemon_post(struct av_daemon *daemon, unsigned int kind, struct av_bytes data);
/* Publish on the stream socket (reporting). */
int av_daemon_publish(struct av_daemon *daemon, struct av_bytes topic, struct av_bytes body);
void *av_daemon_user(struct av_daemon *daemon);
void av_daemon_set_user(struct av_daemon *daemon, void *user);

/* In the health hook: an issue that stands now. `text` names the remedy. */
void av_health(struct av_daemon *daemon, const char *code, bool critical, const char *text_format, ...)
	AV_PRINTF(4, 5);
/* A metric of the service, in the health hook. */
void av_metric(struct av_daemon *daemon, const char *name, const char *labels, double value, bool counter,
	const char *help);

#endif
