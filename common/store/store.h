/* store.h - LMDB behind one file: tables, transactions that remember their first error, journal, cursors.
 *
 * One environment per daemon; nobody else opens it (a lock file sees to it). A write transaction belongs to the writer
 * thread; read transactions are short and may be used by any one thread. In a transaction setters return nothing: the
 * first error sticks, later calls do nothing, and commit tells. What av_get and av_iter hand out dies with the
 * transaction, or (in a write transaction) at the next put; it must not be put back into the same table without a copy.
 */
#ifndef AVVIK_STORE_STORE_H
#define AVVIK_STORE_STORE_H

#include <stdbool.h>
#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"

#define AV_STORE_FORMAT 1
#define AV_KEY_MAX 511 /* bytes of a key */
#define AV_CHAIN_SIZE 32

/* Tables that every store has. A service's own tables follow from AV_TABLE_OWN in the order it declares them. */
enum av_table { /* clang-format off */
	AV_TABLE_META,	     /* name -> value: format, daemon, instance, epoch, stepped, made_at, head, counters, cursors */
	AV_TABLE_JOURNAL,    /* sequence u64 -> chain hash 32, packed Event; behind the last of a turn its seal */
	AV_TABLE_BY_CASE,    /* case id 16, sequence u64 -> nothing, or what the service keeps there (projection) */
	AV_TABLE_REFERENCES, /* principal NUL reference -> see references.h */
	AV_TABLE_QUARANTINE, /* feed name NUL sequence u64 -> see quarantine.h */
	AV_TABLE_CONTENT,    /* content id 16 -> see content.h */
	AV_TABLE_DOOMED,     /* key number u64 -> nothing: erased, its key still to be destroyed */
	AV_TABLE_GRANTS,     /* grant id 16 -> expiry: used (projection) */
	AV_TABLE_ATTEMPTS,   /* hash 16 of an item -> count u32: how often it ended the process */
	AV_TABLE_OWN
}; /* clang-format on */

enum av_table_flags {
	AV_PROJECTION = 1 << 0, /* made by apply() from the journal alone: replay gives the same */
	AV_APPENDED = 1 << 1	/* keys only grow */
};

struct av_table_decl {
	const char *name;
	int flags;
};

struct av_store_options { /* clang-format off */
	const char *path;	/* folder; made when it does not exist, mode 0700 */
	size_t map_bytes;
	const struct av_table_decl *tables; /* the service's own, at most 20 */
	size_t table_count;
	const char *daemon;	/* "intake": a store of another daemon or instance is refused (AV_CONFLICT) */
	const char *instance;
	bool stepped_clock;	/* a store without events is marked for ever; one with events of the real clock is refused */
	bool production;	/* a store made under the stepped clock is refused (AV_FORBIDDEN) */
	bool read_only;		/* for verify: no lock, no creation, no stale reader clearing */
	int64_t now_ms;		/* when a new store is made */
}; /* clang-format on */

struct av_store;
struct av_txn;

/* *ret_why is set on failure: a sentence with the remedy, static or inside the store module (valid until the next open).
 * AV_LOCKED: another process has it; AV_DAMAGED: refused, nothing touched; AV_NEWER: format; AV_CONFLICT; AV_FORBIDDEN;
 * AV_FULL; AV_IO. */
int av_store_open(const struct av_store_options *options, struct av_random *random,
	struct av_store **ret_store, const char **ret_why);
void av_store_close(struct av_store **store);
bool av_store_is_new(const struct av_store *store); /* made by this open: its journal is empty */
bool av_store_stepped(const struct av_store *store);
size_t av_store_map_bytes(const struct av_store *store); /* how large it may become */
/* own or common; NULL past the end */
const struct av_table_decl *av_store_table(const struct av_store *store, unsigned int table);

/* AV_BUSY: there is one already; AV_FORBIDDEN: opened for reading. */
int av_txn_begin_write(struct av_store *store, struct av_txn **ret_txn);
/* Renews a pooled transaction: cheap. AV_BUSY when all readers are taken. */
int av_txn_begin_read(struct av_store *store, struct av_txn **ret_txn);
/* Synced to disk when it returns AV_OK. AV_FULL (map or disk): nothing changed. AV_IO: unknown whether it is on disk;
 * the process must end. Else the first error of the transaction: nothing changed. Always ends the transaction. */
int av_txn_commit(struct av_txn **txn);
void av_txn_abort(struct av_txn **txn);		  /* accepts NULL; ends read transactions too */
int av_txn_error(const struct av_txn *txn);	  /* the first error, AV_OK when there is none */
void av_txn_fail(struct av_txn *txn, int status); /* make it fail */

/* AV_NOT_FOUND; or the transaction's error. */
int av_get(struct av_txn *txn, unsigned int table, struct av_bytes key, struct av_bytes *ret_value);
void av_put(struct av_txn *txn, unsigned int table, struct av_bytes key, struct av_bytes value);
/* Nothing when the key is there. */
void av_put_new(struct av_txn *txn, unsigned int table, struct av_bytes key, struct av_bytes value);
/* Room for `size` bytes to write into before the next call. NULL when the transaction has failed. */
void *av_put_room(struct av_txn *txn, unsigned int table, struct av_bytes key, size_t size);
/* nothing when it is not there */
void av_delete(struct av_txn *txn, unsigned int table, struct av_bytes key);
size_t av_table_count(struct av_txn *txn, unsigned int table);

/* Iteration: keys that begin with `prefix`, from the first that is >= `from` (empty: from the first of the prefix).
 *	struct av_iter it = av_iter(txn, TABLE, prefix, from);
 *	while (av_iter_next(&it)) ... it.key, it.value ...
 *	av_iter_end(&it);
 * The table may be changed while iterating only by av_iter_delete. */
struct av_iter {
	struct av_bytes key, value;
	struct av_txn *txn;
	void *cursor;
	unsigned char prefix[AV_KEY_MAX], from[AV_KEY_MAX];
	size_t prefix_size, from_size;
	bool started;
};
struct av_iter av_iter(struct av_txn *txn, unsigned int table, struct av_bytes prefix, struct av_bytes from);
bool av_iter_next(struct av_iter *it);
void av_iter_delete(struct av_iter *it); /* the current one */
void av_iter_end(struct av_iter *it);
/* The last key with the prefix. AV_NOT_FOUND. */
int av_last(struct av_txn *txn, unsigned int table, struct av_bytes prefix, struct av_bytes *ret_key,
	struct av_bytes *ret_value);

/* Counters in META, 0 before the first use. */
uint64_t av_counter(struct av_txn *txn, const char *name);
void av_counter_set(struct av_txn *txn, const char *name, uint64_t value);

/* Journal. */
struct av_position {
	struct av_id epoch;
	uint64_t sequence;
	unsigned char hash[AV_CHAIN_SIZE]; /* zero at sequence 0 */
};
int av_journal_head(struct av_txn *txn, struct av_position *ret_head);
/* Appends the packed event as sequence head + 1; chain hash = H(previous hash, sequence u64 big-endian, event). */
void av_journal_append(struct av_txn *txn, struct av_bytes event, uint64_t *ret_sequence);
int av_journal_read(struct av_txn *txn, uint64_t sequence, struct av_bytes *ret_event,
	unsigned char ret_hash[AV_CHAIN_SIZE]); /* ret_hash may be NULL; AV_NOT_FOUND */
/* The seal of the turn that ends at the head. It stands beside the turn's last event, so that it costs no page of its own:
 * whoever goes through AV_TABLE_JOURNAL passes over keys of AV_JOURNAL_SEAL_KEY bytes. */
#define AV_JOURNAL_SEAL_KEY 9
void av_journal_seal(struct av_txn *txn, struct av_bytes seal);
/* The seal of the turn that the sequence lies in, and that turn's last sequence. AV_NOT_FOUND. */
int av_journal_seal_of(struct av_txn *txn, uint64_t sequence, uint64_t *ret_last, struct av_bytes *ret_seal);
/* Does the journal stand at this sequence with this hash? AV_OK; AV_NOTHING: yes, but in another epoch; AV_NOT_FOUND. */
int av_journal_confirm(struct av_txn *txn, const struct av_position *position);
void av_journal_new_epoch(struct av_txn *txn, struct av_random *random); /* after a restore */
/* Recomputes the whole chain. AV_DAMAGED with the sequence at fault. */
int av_journal_check(struct av_txn *txn, uint64_t *ret_sequence);

/* Feed cursors. */
struct av_cursor {
	struct av_position position;
	unsigned char view[32]; /* zero: none */
};
/* AV_NOT_FOUND: from the start */
int av_cursor_load(struct av_txn *txn, const char *feed, struct av_cursor *ret_cursor);
void av_cursor_store(struct av_txn *txn, const char *feed, const struct av_cursor *cursor);
void av_cursor_forget(struct av_txn *txn, const char *feed);

/* Health. */
struct av_store_health {
	uint64_t map_bytes, used_bytes, free_pages, oldest_reader_lag;
	unsigned int readers;
};
int av_store_health(struct av_store *store, struct av_store_health *ret_health);
/* Used part of the map in percent, cheap: for the refusal of new input at 90 %. */
unsigned int av_store_used_percent(struct av_txn *txn);
void av_store_clear_readers(struct av_store *store); /* of processes that died */

/* A consistent copy of a store that may be in use; `path` is a new folder. From any thread that has no write transaction
 * open: it waits for the one under way. AV_EXISTS, AV_FULL, AV_IO. */
int av_store_copy(struct av_store *store, const char *path);

/* Between a store and its copy or replay: the first table and key in which projections differ. AV_OK: the same;
 * AV_CONFLICT: they differ, *ret_table and the key in hex (up to 64 bytes of it) are set. */
int av_store_compare(struct av_store *a, struct av_store *b, const char **ret_table, char ret_key[129]);

#endif
