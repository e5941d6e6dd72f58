/* daemon_inner.h - the shell of a daemon: one struct, and which file does what with it. All of it belongs to
 * the loop thread.
 *
 *	start.c    opens everything in order, and closes it upside down
 *	loop.c     batches in, results out, the due timer
 *	ask.c      a message arrives: answered, queued or refused
 *	follow.c   feeds that this daemon consumes
 *	reload.c   principals, signals
 *	watch.c    what is looked at every second
 *	health.c   issues, metrics, GetStatus
 *	hooks.c    what service.h offers on the loop thread
 */
#ifndef AVVIK_DAEMON_DAEMON_INNER_H
#define AVVIK_DAEMON_DAEMON_INNER_H

#include <stdio.h>
#include <uv.h>

#include "base/log.h"
#include "bus/feed.h"
#include "daemon/queue.h"
#include "daemon/settings.h"
#include "daemon/turn.h"
#include "daemon/writer.h"

#define EXIT_USAGE 64	 /* sysexits.h: the command line */
#define EXIT_SOFTWARE 70 /* our own doing */
#define EXIT_TEMPFAIL 75 /* a failed sync: the supervisor starts it again */
#define EXIT_CONFIG 78	 /* settings, keys, principals */
#define FEEDS_MAX 4
#define ISSUES_MAX 64
#define FEED_EVENTS 1000u
#define FEED_BYTES (1024u * 1024)
#define PRINCIPALS_NAMED 1000u

struct follow { /* one consumed feed */
	struct av_daemon *daemon;
	const char *name;
	struct av_feed_client *client;
	struct av_feed_batch batch;
	int64_t arrived_at_ms; /* of the batch */
	bool has_batch, in_turn;
	bool halted;  /* by an event: until an administrator decides */
	bool refused; /* by the producer */
	Avvik__V1__FeedRefusalCode refusal;
	char why[200];
	int64_t retry_at_ms; /* monotonic; 0: now */
	int64_t calm_until_ms; /* monotonic: nothing in the batch is urgent, so it waits to go along with something */
};

struct inner {
	struct inner *next;
	unsigned int kind;
	int64_t arrived_at_ms;
	uint64_t number; /* in the order they were posted */
	size_t size;
	unsigned char data[];
};

struct slot { /* a batch and what belongs to its items */
	struct av_batch batch;
	struct av_queued **commands; /* room: as many as items */
	bool has_principals;
};

struct issue {
	char code[40];
	int64_t since_ms;
	bool seen;
};

struct counters {
	uint64_t turns, items, refused, repeated, failed, passed_over, quarantined, events, queries, busy,
		dropped, forbidden;
	uint64_t commits, commit_us, turn_us, largest_batch;
};

struct collecting { /* a status being made */
	struct av_arena *arena;
	Avvik__V1__HealthIssue *issues[ISSUES_MAX];
	size_t issue_count;
	Avvik__V1__Metric **metrics;
	size_t metric_count, metric_room;
	bool log; /* say what is new */
};

struct av_daemon {
	const struct av_service *service;
	const Avvik__V1__Settings *settings;
	const char *settings_path;
	struct av_arena *arena;	    /* lives as long as the daemon */
	struct av_arena *ask_arena; /* of the message being answered */
	struct av_clock clock;
	struct av_random random, keys_random, turn_random;
	unsigned char sign_secret[AV_SIGN_SECRET_SIZE], grant_public[AV_SIGN_PUBLIC_SIZE];
	bool has_grant_public;
	struct av_keypair curve;
	struct av_store *store;
	struct av_keystore *keys;
	struct av_turn *turn;
	struct av_writer *writer;
	void *cache; /* the service's, of this thread */
	void *user;
	int64_t started_at_ms;
	int exit_code;

	uv_loop_t loop;
	uv_check_t check;
	uv_idle_t idle;
	uv_async_t wake;
	uv_timer_t due_timer, watch_timer, drain_timer;
	uv_signal_t signals[3];
	bool loop_open, closing, drained;

	struct av_bus *bus;
	struct av_socket *commands, *stream;
	struct av_feed_server *feed_server;
	struct follow follows[FEEDS_MAX];
	size_t follow_count;

	struct av_principals *principals;
	struct av_principals *principals_told; /* as the journal knows them; NULL: not at all */
	bool principals_invalid;
	unsigned int principals_gone;	       /* looks since it was last there */
	unsigned int connections, descriptors; /* in force; how many files may be open, 0: any number */
	bool descriptors_out;
	struct av_arena *change_arena; /* of a change that waits for its turn */
	struct av_principals_change change;
	struct av_principals *change_table;
	bool change_waits, change_in_turn;
	uv_timespec_t principals_mtime;
	uint64_t principals_size, principals_inode;

	struct av_queue *queue;
	struct inner *inner_first, *inner_last, *inner_in_turn;
	size_t inner_count, inner_bytes;
	uint64_t inner_numbers;
	struct slot slots[2];
	struct slot *busy; /* with the writer */
	int64_t next_due_ms;
	bool due_more;
	int64_t due_retry_at_ms, feed_retry_ms; /* monotonic */
	int64_t own_retry_at_ms;		/* of inner items and what principals became, when full */
	bool due_failed, full;
	char failed_text[200];
	int64_t failed_at_ms;
	uint64_t cost_ns; /* of an item, on the average */
	bool draining;
	int64_t idle_since_ms; /* monotonic; 0: trimmed already */
	unsigned int ticks;
	uint64_t watched_progress;

	struct counters counters;
	struct issue issues[ISSUES_MAX];
	struct collecting *collecting;
};

/* loop.c */
void loop_kick(struct av_daemon *d); /* there is something for the writer */
void loop_plan(struct av_daemon *d); /* arms the due timer */
bool loop_due(const struct av_daemon *d);
bool loop_quiet(const struct av_daemon *d);
int loop_open(struct av_daemon *d, const char **ret_why);
void loop_drain(struct av_daemon *d); /* finish what waits, then end */

/* ask.c */
void on_command(void *context, struct av_message_in *message);
void answer_send(struct av_daemon *d, const unsigned char *route, uint16_t route_size, struct av_bytes reply);

/* follow.c */
int follow_open(struct av_daemon *d, const char **ret_why);
void follow_close(struct av_daemon *d);
size_t follow_count(const struct av_service *service);
const char *follow_name(const struct av_service *service, size_t index);
bool follow_ready(const struct follow *f, int64_t monotonic_ms);
/* When a batch in which nothing is urgent has a turn of its own; 0: none waits. */
int64_t follow_calm_ms(const struct follow *f);
void follow_done(struct follow *f, const struct av_item *item);
void follow_restart(struct follow *f); /* from the stored cursor */
void follow_watch(struct av_daemon *d);

/* reload.c */
int principals_open(struct av_daemon *d, struct av_faults *faults);
void principals_watch(struct av_daemon *d);
void principals_reload(struct av_daemon *d);
int signals_open(struct av_daemon *d);

/* descriptors.c */
/* How many of the connections wanted there are descriptors for; 0: too few to begin. */
unsigned int descriptors_connections(unsigned int wanted, unsigned int *ret_descriptors);
unsigned int descriptors_least(void); /* to begin */
bool descriptors_left(void);

/* watch.c */
int watch_open(struct av_daemon *d);

/* health.c */
void health_log(struct av_daemon *d); /* what is new, once */
int health_collect(struct av_daemon *d, struct av_txn *txn, struct collecting *collecting);
struct av_ctx query_ctx(struct av_daemon *d, const struct av_principal *principal, struct av_arena *arena);

/* notify.c - the only place that knows sd-daemon.h */
void notify_state(const char *state);
void notify_reloading(void);
int64_t notify_watchdog_ms(void); /* 0: none */

/* start.c */
int daemon_load(struct av_daemon *d, const struct av_service *service,
	const char *settings_path); /* settings and keys: an exit code */
int daemon_store_open(struct av_daemon *d, bool read_only);
int daemon_run(const struct av_service *service, const char *settings_path);
void daemon_free(struct av_daemon *d);

/* describe.c, backup.c, verify.c: each answers the exit code */
void describe(const struct av_service *service, FILE *stream);
int backup_run(const struct av_service *service, const char *settings_path, const char *folder);
int restore_run(const struct av_service *service, const char *settings_path, const char *folder);
int verify_run(const struct av_service *service, const char *settings_path);

#endif
