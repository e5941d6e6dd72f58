/* sim.h - the four daemons in one process, from one seed.
 *
 * Real are: the turns, rules and handlers of all four services, their LMDB stores and key stores, recovery,
 * what a feed reads from a journal, the composing of mails, backups. Played are: the network, the loop around
 * a turn, the clock, the mail server, people, and death. Everything that happens is one step, chosen by the
 * seed, so the same seed gives the same run, byte for byte.
 *
 *	world.c      steps, the network                    node.c, turns.c  a daemon's life, what it does
 *	rest.c       coming to rest, the end               faults.c         where it dies
 *	trouble.c    what goes wrong, the clock            feeds.c          both ends of a feed
 *	people.c     reports, what is published            mutations.c      what is broken on purpose
 *	acts*.c      what is done with cases               orders.c         commands and replies
 *	officials.c  content, administrators, providers    mail.c           what leaves
 *	backups.c    and restores                          disk*.c          writes, syncs, power cuts
 *	shrink.c     a failing seed, made small            check*.c         at rest: all that must hold
 *	table.c      the state tables as they are written, and what of them was played
 */
#ifndef AVVIK_SIM_H
#define AVVIK_SIM_H

#include <setjmp.h>
#include <stdio.h>
#include "avvik/v1/directory.pb-c.h"
#include "bus/feed_read.h"
#include "daemon/turn.h"
#include "org/org.h"

#define SIM_SECRET "HEMLIGX" /* begins every free text; may stand nowhere outside a seal */
#define SIM_SECRET_LOW "hemligx"
#define SIM_FEEDS 2
#define SIM_QUEUE 256

enum { INTAKE, WORKFLOW, NOTIFICATION, REPORTING, NODES };
enum { CARE, ALARM, CASES, ADMIN, CLIENTS };

struct world;
struct order;

/* --- what is deliberately broken, to show that it is found --- */

/*      name             what */
#define MUTATION_LIST(X) /* clang-format off */ \
	X(NONE,            "nothing") \
	X(CURSOR_FIRST,    "a feed's cursor moves in a transaction of its own, before the work") \
	X(REPLY_FIRST,     "replies are sent before the commit") \
	X(NO_REPETITION,   "a repetition is not recognised") \
	X(RUNG_UNMARKED,   "a rung that fired is not marked") \
	X(OUTSIDE_APPLY,   "a record is changed outside apply") \
	X(KEY_FIRST,       "a key is destroyed before its event is committed") \
	X(MAIL_FORGOTTEN,  "mails under way are forgotten by a new run") \
	X(FIGURE_LOST,     "reporting loses a figure now and then") \
	X(UNSEALED,        "a text is written beside its seal") \
	X(STATE_SKIPPED,   "a case's event carries another state than the table says") \
	X(END_LOST,        "the end of a deadline does not reach its ledger now and then") \
	X(SYNC_SKIPPED,    "the store's pages are not synced before the meta page says that they count") \
	X(META_FIRST,      "the meta page is written first, and the pages are synced after it") \
	X(REPLY_UNSYNCED,  "replies are sent before the meta page is synced") \
	X(KEYS_EARLY,      "a rewritten key store takes its place before it is synced") \
	X(FEED_EARLY,      "feed readers are given what is not committed yet") \
	X(DUE_AGAIN,       "what was due just before a jump of the clock is due again after it") \
	X(NOTICE_AGAIN,    "a restore forgets which events were handled") /* clang-format on */
enum mutation {
#define X(name, what) MUTATION_##name,
	MUTATION_LIST(X)
#undef X
		MUTATION_COUNT
};

/* --- what goes wrong, and what people do: each can be switched off --- */

/*      kind          what */
#define KIND_LIST(X) /* clang-format off */ \
	X(DEATHS,      "deaths",      "a daemon is killed at any point") \
	X(POWER,       "power",       "the power fails at a write, a sync or a change of names, or between turns") \
	X(DISK,        "disk",        "a write or a sync fails: full, broken, cut short") \
	X(SLOW,        "slow",        "a sync takes long") \
	X(MAPS,        "maps",        "a map is small, and fills") \
	X(LINKS,       "links",       "connections of clients are cut") \
	X(FEEDS,       "feeds",       "connections between daemons are cut") \
	X(REPEATS,     "repeats",     "a client sends the same again") \
	X(CLOCK,       "clock",       "the clock stands still or jumps") \
	X(RESTORES,    "restores",    "backups are taken and restored") \
	X(RIGHTS,      "rights",      "keys are revoked and given back") \
	X(MAILS,       "mails",       "mails are refused, late or lost") \
	X(SUPPLEMENTS, "supplements", "reports are supplemented") \
	X(ACTS,        "acts",        "people act on cases") \
	X(CONTENT,     "content",     "content is read and erased") \
	X(PUBLISHING,  "publishing",  "further directories and rule packs are published") \
	X(RETRIES,     "retries",     "an administrator has mails sent again") /* clang-format on */
enum kind {
#define X(kind, name, what) KIND_##kind,
	KIND_LIST(X)
#undef X
		KIND_COUNT
};

struct shape {
	unsigned int steps;
	size_t reports;	      /* at most */
	unsigned int without; /* a bit for each kind */
	enum mutation mutation;
	bool verbose;
	bool year; /* of one committee: few reports, which come all through it, much is done with each, and little goes wrong */
};

/* --- commands --- */

enum order_kind {
	ORDER_REPORT,
	ORDER_SUPPLEMENT,
	ORDER_ACT,
	ORDER_GRANT,
	ORDER_OPEN,
	ORDER_PUBLISH,
	ORDER_ADMIN,
	ORDER_TELL
};
enum order_state {
	ORDER_WAITING, /* to be sent (again) */
	ORDER_SENT,
	ORDER_DONE,
	ORDER_REFUSED,
	ORDER_UNKNOWN /* sent once, and no reply will come */
};

struct order {
	struct world *world;
	unsigned int id;
	enum order_kind kind;
	enum order_state state;
	int node, client;
	bool once;		/* must not be sent again */
	unsigned int sent, out; /* copies; and those of this connection without an answer */
	const char *reference, *person;
	unsigned int number;
	ProtobufCMessage *body;
	int64_t not_before_ms;
	const struct order *after; /* not before that one has its answer */
	/* for the checks */
	struct av_id case_id; /* REPORT: once done, of the report */
	int64_t acted_at_ms;  /* ACT: no other order has it */
	const char *version;  /* PUBLISH */
	Avvik__V1__Receipt *receipt;
	uint64_t done_turn; /* of the node that did it */
	Avvik__V1__ReplyStatus answer;
	bool erasing; /* GRANT, OPEN */
};

struct packet {
	struct packet *next;
	struct order *order;
	size_t size;
	int64_t arrived_at_ms;
	uint64_t number;
	uint64_t turn; /* a reply's: of the node */
	unsigned int connection;
	bool revoked; /* its sender had no rights when it was handled */
	unsigned char *data;
};

struct line { /* in order, as a connection is */
	struct packet *first, **last;
	size_t count;
};

/* --- a feed, at its consumer --- */

struct feed_batch {
	struct av_arena *arena; /* NULL: none */
	const Avvik__V1__FeedBatch *batch;
	uint64_t after;
};

struct follow {
	struct node *node, *from;
	const char *name;
	struct av_cursor asked;
	bool asking, stopped, in_turn, halted, refused, at_head, has_refused_head;
	struct av_position refused_head;
	int64_t retry_at_ms;
	struct feed_batch handed, held;
	/* on the wire */
	bool request; /* with the producer, or on the way to it */
	struct feed_credit credit;
	struct line replies;
};

/* --- a daemon --- */

struct inner {
	struct inner *next;
	unsigned int kind;
	int64_t arrived_at_ms;
	size_t size;
	unsigned char data[];
};

struct node {
	struct world *world;
	int number;
	struct av_service service; /* a copy: mutations change it */
	const struct av_service *real;
	char path[300];
	struct av_store *store;
	struct av_keystore *keys;
	struct av_turn *turn;
	void *cache; /* for queries */
	struct av_random random, keys_random, query_random;
	unsigned char sign_public[AV_SIGN_PUBLIC_SIZE], sign_secret[AV_SIGN_SECRET_SIZE];
	size_t map_bytes;
	bool up;
	struct line queue;
	struct inner *inner, **inner_last;
	size_t inner_count;
	struct follow follows[SIM_FEEDS];
	size_t follow_count;
	int64_t next_due_ms, due_retry_at_ms;
	bool due_more, due_failed, upkeep, full, principals_changed;
	uint64_t turns, crashes, due_crashes;
	struct {
		int64_t from_ms, to_ms;
	} waits[64]; /* of due work that a full disk put off; the last ones */
	size_t wait_count;
	bool to_restore;			/* what it reads from was, and it is still to be */
	bool unfinished;			/* it has never been up */
	uint64_t backup_turn, next_backup_turn; /* turns before it are in the backup */
	struct av_item items[SIM_QUEUE];
	size_t item_count;
};

struct world {
	uint64_t seed;
	unsigned int steps, step, without;
	enum mutation mutation;
	char path[256];
	struct av_random random, luck; /* of the steps, and of what goes wrong; each node has its own */
	struct av_arena *arena, *scratch;
	int64_t now_ms, started_at_ms;
	uint64_t packets;
	bool calm; /* nothing goes wrong any more */
	bool verbose;
	bool dark;		   /* the power of the whole machine is failing */
	unsigned int jumped_at;	   /* the step at which the clock did, last */
	unsigned int stands_until; /* the step at which the clock goes on */
	int backing_up;		   /* whom next; a set is complete with the first of them */
	bool has_backup;
	Avvik__V1__Settings *settings;
	struct node nodes[NODES];
	struct line up[CLIENTS][NODES], down[CLIENTS][NODES];
	unsigned int connections[CLIENTS][NODES]; /* what belongs to an earlier one is not answered */
	struct av_principal clients[CLIENTS];
	bool revoked[CLIENTS];
	bool feed_revoked;
	struct order **orders;
	size_t order_count, order_room;
	size_t reports_most, reports_all;
	bool year;
	struct order *focus[20]; /* cases that people are busy with */
	/* what people know */
	Avvik__V1__Directory *directory;
	struct av_org *org;
	Avvik__V1__RulePack *rules;
	const char **leaves;
	size_t leaf_count;
	unsigned int new_units, new_packs;
	const struct order *last_pack; /* that was published */
	struct mail_world *mail;
	/* faults.c */
	struct {
		int point; /* enum fault_point; 0: none */
		int countdown;
		struct node *node;
		struct node *again; /* it will die of the same once more */
	} fault;
	jmp_buf death; /* of the node under way */
	/* figures of the run */
	struct {
		size_t reports, acts, refusals, repeats, crashes, restores, backups, mails, duplicates,
			erasures, events, closed, quarantined, full, cuts, rungs, jumps, power, disk, told;
	} count;
};

/* world.c */
struct world *world_open(uint64_t seed, const struct shape *shape);
void world_run(struct world *w);	      /* all steps, rests between, and the end */
struct follow *world_follow(struct world *w); /* any; NULL: that daemon has none */
bool world_deliver(struct world *w);
bool world_send(struct world *w);
void world_close(struct world **w);
uint64_t chance(struct world *w, uint64_t below); /* [0, below) */
bool percent(struct world *w, unsigned int hundredths);
/* A broken invariant: tells it, with the command that repeats it, and ends the process. */
void sim_fail(struct world *w, const char *format, ...) AV_PRINTF(2, 3) __attribute__((noreturn));
void sim_say(struct world *w, const char *format, ...) AV_PRINTF(2, 3);
#define SIM_EXPECT(w, condition, ...)             \
	do {                                      \
		if (!(condition))                 \
			sim_fail(w, __VA_ARGS__); \
	} while (0)

/* rest.c */
void world_rest(struct world *w);
void world_end(struct world *w);
int64_t world_next_due(const struct world *w);

/* trouble.c */
bool on(const struct world *w, enum kind kind);
bool fault(struct world *w, enum kind kind, unsigned int hundredths); /* it happens now */
void trouble(struct world *w);
void power_fails(struct world *w, const struct node *n); /* NULL: between two turns */
void make_room(struct node *n);
void pass_time(struct world *w);

/* backups.c */
void backup_step(struct world *w);
void restore_some(struct world *w);
void restore_rest(struct world *w, bool all); /* those that were left for later */

void world_hash(struct world *w, unsigned char ret_hash[AV_HASH_SIZE]); /* of all journals */

/* node.c */
extern const char *const node_names[NODES];
void node_init(struct world *w, int number);
bool node_start(struct node *n);	  /* false: it died again while starting */
void node_crash(struct node *n);	  /* as kill -9 */
bool node_waits(struct node *n);	  /* there is something for a turn */
bool node_turn(struct node *n, bool all); /* false: it died */
bool node_upkeep(struct node *n);
void node_post(struct node *n, unsigned int kind, struct av_bytes data);
void node_arrive(struct node *n, struct packet *packet, int client);
int node_store_open(struct node *n, const char *name, const char **ret_why);
const char *node_path(struct node *n, const char *name); /* in its folder */
Avvik__V1__Reply *node_ask(
	struct node *n, int client, unsigned int number, ProtobufCMessage *query); /* NULL: it is down */
void node_free(struct node *n);
const struct av_principal *client_now(struct world *w, int client); /* NULL: revoked */

/* feeds.c */
void reader_begin(struct node *n);
void reader_end(struct node *n);
void reader_ask(struct follow *f);
bool reader_serve(struct follow *f); /* the producer answers; false: nothing to say */
void reader_serve_early(struct follow *f, struct av_txn *txn); /* a mutation: from what is not committed */
bool reader_receive(struct follow *f);
bool reader_ready(const struct follow *f);
void reader_done(struct follow *f, const struct av_item *item);
void reader_restart(struct follow *f);
void reader_silence(struct follow *f); /* asked, and no answer came */
bool reader_quiet(const struct follow *f);
int reader_cursor(struct follow *f, struct av_cursor *ret_cursor); /* as it is kept */

/* orders.c */
void line_init(struct line *line);
void line_push(struct line *line, struct packet *packet);
struct packet *line_pop(struct line *line);
void line_clear(struct line *line);
struct packet *packet_new(struct order *order, struct av_bytes bytes);
struct order *order_new(struct world *w, enum order_kind kind, int client, int node, const char *person,
	unsigned int number, ProtobufCMessage *body);
void order_send(struct order *order);
void order_reply(struct order *order, const struct packet *packet);
void link_cut(struct world *w, int client, int node); /* what was under way is lost, from some point on */
void link_drop(struct world *w, int node);	      /* the daemon died: all connections are cut */
bool orders_quiet(struct world *w);
void orders_forget(struct node *n); /* after a restore: what it no longer knows is sent again */

/* people.c */
void people_begin(struct world *w);
void people_step(struct world *w);
void people_resolve(struct world *w); /* the administrator clears quarantine and feeds */
struct order *people_open_grants(struct world *w, struct order *order, const Avvik__V1__GrantIssued *issued);
const char *secret(struct world *w);

/* mail.c */
void mail_open(struct world *w);
void mail_close(struct world *w);
void mail_started(struct node *n); /* the run begins */
void mail_crashed(struct node *n);
void mail_look(struct node *n);	     /* after a commit, and now and then */
bool mail_progress(struct world *w); /* one mail ends; false: none is under way */
bool mail_quiet(struct world *w);
unsigned int mail_count(struct world *w, ProtobufCBinaryData notice_id);
void mail_forget(struct world *w);

/* faults.c */
enum fault_point { FAULT_NONE, FAULT_BEFORE_COMMIT, FAULT_AFTER_COMMIT, FAULT_IN_ITEM };
void fault_arm(struct node *n); /* perhaps */
void fault_disarm(struct world *w);
void fault_world(struct world *w); /* whose calls are watched */

/* mutations.c */
void mutate_world(struct world *w);
void mutate_service(struct node *n);
void mutate_before_turn(struct node *n);
void mutate_before_commit(struct node *n, struct av_txn *txn);
void mutate_after_turn(struct node *n);
void mutate_restored(struct node *n, struct av_txn *txn);

/* check.c: each fails with what is broken */
void check_rest(struct world *w, bool end);
void check_secrets(struct node *n);
struct events {
	Avvik__V1__Event **at;
	size_t count;
};
struct events events_of(struct node *n, struct av_arena *arena);
struct av_id sim_id(ProtobufCBinaryData data);
const char *sim_hex(ProtobufCBinaryData data); /* static, for messages */
void check_cases(struct world *w, const struct events *events, bool end);
void check_figures(struct world *w, const struct events *intake, const struct events *workflow);
void check_notices(struct world *w, const struct events *workflow, const struct events *events, bool end);
void check_orders(struct world *w, const struct events intake[1], const struct events workflow[1]);

#endif
