/* turn_inner.h - inside the turn: shared by turn.c, dispatch.c, outcome.c, feed_turn.c, resolve.c, recover.c.
 *
 * One attempt is one write transaction over a range of items. Two kinds of "no" are kept apart everywhere:
 *	a refusal  the handler's answer; the item leaves no trace and the rest stands. Known before anything
 *	           is written.
 *	a failure  a negative status that comes while events are written or applied: the attempt is aborted
 *	           and made again without the item (turn.c), or with the feed event to blame put in quarantine.
 */
#ifndef AVVIK_DAEMON_TURN_INNER_H
#define AVVIK_DAEMON_TURN_INNER_H

#include <stdatomic.h>
#include "avvik/v1/common.pb-c.h"
#include "base/log.h"
#include "daemon/turn.h"
#include "seal/receipt.h"
#include "store/quarantine.h"
#include "store/references.h"

#define FULL_PERCENT 90
#define KEYS_LOW 1024u	      /* fewer keys ahead than this: make more */
#define DUE_LIMIT 1000u	      /* events of one due item */
#define COMMAND_TEXT_MAX 128u /* bytes of a reference or message id that are given back */
#define FEED_NAME_MAX 40u
#define RESTORES_MAX 64u
#define QUARANTINE_CAUSE_MAX 400u

/* --- what one item queues (outcome.c) --- */

struct emitted {
	Avvik__V1__Event event;
	Avvik__V1__Actor actor;
	struct av_id id, case_id, cause_id, trace_id;
	struct emitted *next;
};

struct sealed {
	struct av_id id;
	uint64_t key_number;
	unsigned char blinding[AV_KEY_SIZE];
	const struct av_content_part *parts;
	size_t count;
	struct sealed *next;
};

struct erasure {
	struct av_id id;
	struct erasure *next;
};

/* What an administrator decided in this item; carried out when the item stands (resolve.c). */
struct decision {
	const Avvik__V1__ResolveQuarantine *quarantine;
	const Avvik__V1__ResolveFeed *feed;
};

struct av_outcome {
	const struct av_service *service;
	struct av_turn *turn; /* NULL in queries: nothing can be queued then */
	struct av_id_source *ids;
	struct emitted *first, **tail, *last;
	size_t count;
	struct sealed *sealed, *sealed_last;
	struct erasure *erasures;
	struct emitted *receipt_for; /* NULL: no receipt wanted */
	const unsigned char *receipt_blinding;
	struct decision decision;
	struct av_id trace;
	bool has_trace;
	uint64_t next_key; /* after those taken by this item; 0: none taken */
	int failed;	   /* AV_MEMORY and such while queueing: the item fails */
};

/* --- receipts of a turn (receipts.c) --- */

/* A reply that cannot be packed before the tree of the turn is known. */
struct wanted {
	struct av_item *item;
	Avvik__V1__Reply *reply;
	Avvik__V1__Receipt *receipt;
	size_t leaf;
	struct wanted *next;
};

struct leaves {
	unsigned char (*hashes)[AV_HASH_SIZE];
	const Avvik__V1__ReceiptLeaf **leaf; /* with their sequences, ascending */
	size_t count, room;
};

/* --- items that ended the process (recover.c) --- */

struct mark { /* of the file; native byte order: it never leaves the machine */
	char magic[8];
	uint32_t state, kind; /* state 1: under way */
	uint64_t sequence;
	unsigned char hash[16];
	char source[FEED_NAME_MAX + 1];
};

/* A feed event that failed while being applied: the next attempt puts it in quarantine. */
struct blamed {
	const char *feed;
	uint64_t sequence;
	int status;
	struct blamed *next;
};

struct feed_head {
	char feed[FEED_NAME_MAX + 1];
	struct av_position position;
};

struct av_turn {
	struct av_turn_options o;
	unsigned char sign_public[AV_SIGN_PUBLIC_SIZE];
	unsigned char own_key[AV_KEY_SIZE]; /* AV_KEY_OWN */
	struct av_arena *arena;		    /* of the attempt: work, forgotten when it ends */
	struct av_arena *kept[2], *keep;    /* of the run: replies, until the next but one */
	struct av_id_source ids;
	void *cache;
	struct mark *mark;
	struct mark mark_none;	 /* when no file is kept */
	size_t crash_records;	 /* in AV_TABLE_ATTEMPTS */
	int64_t recovered_at_ms; /* when this run began */
	struct feed_head heads[4];
	size_t keys_used;    /* most by one turn */
	int64_t next_due_ms; /* as of the last transaction that stood */
	_Atomic uint64_t progress;

	/* Of the run. */
	int64_t now_ms;
	struct av_turn_result *result;
	struct blamed *blamed;
	struct av_faults no_faults;

	/* Of the attempt. */
	struct av_txn *txn;
	struct av_position head; /* its sequence grows with each event; its hash is that of the start */
	uint64_t first;
	uint64_t key_first, key_next; /* before, and now; 0: not looked up yet */
	bool full, dirty, doomed, feeds_resolved;
	struct leaves leaves;
	struct wanted *wanted, **wanted_tail;
	struct av_turn_result counts;
	uint64_t crowded_at; /* FEED: the event for which there was not room; 0: none */
	bool crowded_alone;  /* it was the first one of the attempt */
	uint64_t stop_after; /* FEED: end the item after this sequence, without moving the cursor; 0: no */
};

/* outcome.c */
void outcome_init(struct av_outcome *out, struct av_turn *turn);
struct av_ctx turn_ctx(struct av_turn *turn, const struct av_item *item, struct av_outcome *out);
/* Content, events and apply of an item that stands. A negative status is a failure of the attempt. */
int outcome_commit(struct av_turn *turn, struct av_ctx *ctx);
/* The daemon's own apply and then the service's: live, in replay and in verify. */
int apply_event(const struct av_service *service, struct av_txn *txn, const Avvik__V1__Event *event,
	struct av_arena *arena);
static inline ProtobufCBinaryData id_binary(const struct av_id *id)
{
	return (ProtobufCBinaryData){AV_ID_SIZE, (uint8_t *)(uintptr_t)id->bytes};
}
/* 16 bytes or AV_NOTHING. */
int binary_id(ProtobufCBinaryData data, struct av_id *ret_id);

/* decode.c */
/* The body of a command frame as it was sent, and its number; empty and 0 when there is none to be found. */
struct av_bytes command_sent(struct av_bytes wire, unsigned int *ret_number);
/* As av_command_decode; *ret_kept as in av_ctx. */
int command_decode(const struct av_service *service, struct av_bytes wire,
	const struct av_principal *principal, struct av_arena *arena, Avvik__V1__Command **ret_command,
	const struct av_command_row **ret_row, struct av_faults *ret_kept, struct av_bytes *ret_reply);
/* dispatch.c */
const struct av_command_row *command_row(const struct av_service *service, unsigned int number);
int command_run(struct av_turn *turn, struct av_item *item);
struct av_bytes query_reply(const Avvik__V1__Command *command, int status, struct av_ctx *ctx);
struct av_bytes reply_refusal(const Avvik__V1__Command *command, int status, struct av_ctx *ctx);
int reply_status(int status); /* Avvik__V1__ReplyStatus of an av_status; 0: a failure, not an answer */
void reply_faults(Avvik__V1__Reply *reply, const struct av_faults *faults, struct av_arena *arena);

/* receipts.c */
int leaves_add(struct av_turn *turn, const Avvik__V1__Event *event);
int receipt_want(struct av_turn *turn, struct av_item *item, Avvik__V1__Reply *reply, uint64_t sequence,
	const unsigned char *blinding);
int turn_seal(struct av_turn *turn); /* signs, stores, packs the replies that waited for it */
/* The blinding and commitment's content of an event: its first ContentRef. NULL when it has none. */
const Avvik__V1__ContentRef *event_content(const Avvik__V1__Event *event);

/* feed_turn.c */
int feed_run(struct av_turn *turn, struct av_item *item);
struct feed_record {
	bool halted;
	uint64_t handled; /* every event up to here had its effect, waits in quarantine or was passed over */
	uint64_t passed_over, halted_at;
	size_t restores; /* JournalRestored events of the producer that were handled: where its histories part
			  */
	struct {
		uint64_t sequence;
		struct av_id id; /* zero: all up to here were accepted unseen */
	} restore[RESTORES_MAX];
	char cause[QUARANTINE_CAUSE_MAX + 1];
};
int feed_record_load(struct av_txn *txn, const char *feed, struct feed_record *ret_record);
void feed_record_store(struct av_txn *txn, const char *feed, const struct feed_record *record);
void feed_record_restored(struct feed_record *record, uint64_t sequence, const struct av_id *id);
bool feed_record_knows(const struct feed_record *record, uint64_t sequence, const struct av_id *id);
void feed_record_part(struct feed_record *record, uint64_t sequence);
/* One event through its handler. AV_OK: it had its effect; AV_NOTHING: passed over; AV_INVALID with
 * *ret_cause: it goes to (or stays in) quarantine; another negative status: the attempt fails. `again`: an
 * administrator wants it. */
int feed_event_run(struct av_turn *turn, const struct av_item *item, const char *feed,
	const Avvik__V1__FeedItem *feed_item, const Avvik__V1__Event *event, bool again,
	const char **ret_cause);
/* The next attempt puts it in quarantine. AV_MEMORY. */
int feed_blame(struct av_turn *turn, const char *feed, uint64_t sequence, int status);
int feed_event_load(struct av_turn *turn, const Avvik__V1__FeedItem *item, Avvik__V1__Event **ret_event);
/* With its opened addresses sealed. */
int feed_item_keep(struct av_turn *turn, struct av_quarantined *entry, const Avvik__V1__FeedItem *item);
int feed_item_kept(struct av_turn *turn, const struct av_quarantined *entry, Avvik__V1__FeedItem **ret_item);
int feed_part(struct av_turn *turn, const char *feed, struct feed_record *record, uint64_t after);
void feed_item_forget(struct av_turn *turn, const char *feed, uint64_t sequence);

/* resolve.c, admin.c */
extern const struct av_command_row common_commands[];
extern const size_t common_command_count;
const struct av_position *feed_head(const struct av_turn *turn, const char *feed); /* NULL: not told */
int decision_run(struct av_turn *turn, struct av_ctx *ctx, const struct av_item *item);

/* recover.c */
void mark_set(struct av_turn *turn, enum av_item_kind kind, const char *source, uint64_t sequence,
	const unsigned char hash[16]);
void mark_clear(struct av_turn *turn);
bool set_aside(struct av_turn *turn, const unsigned char hash[16]);
/* The same for what the daemon owes itself, due work and inner items: nobody could send it again, so it is
 * only held back for a while after each start. */
bool held_back(struct av_turn *turn, const unsigned char hash[16]);
void set_aside_forget(struct av_turn *turn, const unsigned char hash[16]);
void feed_mark_hash(const char *feed, uint64_t sequence, unsigned char ret_hash[AV_HASH_SIZE]);
int marks_open(struct av_turn *turn);
void marks_close(struct av_turn *turn);
/* Appends an event of the daemon itself in the attempt under way. */
int turn_emit_own(struct av_turn *turn, unsigned int number, void *body);

/* turn.c */
int attempt_begin(struct av_turn *turn);
int attempt_end(struct av_turn *turn, struct av_item *items, size_t count);
void attempt_abort(struct av_turn *turn);
uint64_t turn_next_key(struct av_turn *turn, uint64_t from); /* the first usable number >= from; 0: none */

#endif
