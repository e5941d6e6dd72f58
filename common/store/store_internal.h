/* store_internal.h - what the files of the store share. The only place that includes lmdb.h.
 *
 * Statuses come from LMDB's codes through store_status(). Tables are LMDB's named databases, in the order of
 * enum av_table and then the service's own.
 */
#ifndef AVVIK_STORE_STORE_INTERNAL_H
#define AVVIK_STORE_STORE_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include "base/macros.h"
#include "store/store.h"

#define STORE_OWN_TABLES_MAX 20
#define STORE_TABLES_MAX (AV_TABLE_OWN + STORE_OWN_TABLES_MAX)
#define STORE_DATA_FILE "data.mdb"
#define STORE_PATH_MAX 4096

struct av_txn {
	struct av_store *store;
	MDB_txn *mdb;
	struct av_txn *next; /* in the pool */
	int error;	     /* the first */
	bool write, head_known, head_moved;
	struct av_position head; /* of the journal, when head_known */
	size_t puts;
};

struct av_store {
	MDB_env *env;
	struct av_table_decl tables[STORE_TABLES_MAX];
	MDB_dbi dbis[STORE_TABLES_MAX];
	bool present[STORE_TABLES_MAX]; /* an older store, opened for reading, may lack a table */
	unsigned int table_count;
	unsigned int page_size;
	size_t map_bytes;
	bool is_new, stepped, read_only;
	int lock_fd;
	char *path;
	dev_t device; /* of the folder: what this process has open */
	ino_t inode;
	struct av_store *next;
	struct av_txn writer;
	atomic_bool writing;
	MDB_txn *pin; /* pages.c */
	size_t pin_pages;
	_Atomic size_t pin_id;		/* 0: none */
	uint64_t file_bytes, file_used; /* as last lengthened */
	size_t last_puts;		/* of the last commit */
	bool ahead_off;
	pthread_mutex_t pool_lock;
	struct av_txn *pool; /* read transactions at rest: each keeps its reader slot */
};

int store_status(int mdb_code);
/* Of the table, for LMDB. false: not there, or the transaction has failed. */
bool store_table(struct av_txn *txn, unsigned int table, MDB_dbi *ret_dbi);
/* The free list's pages as of the transaction. */
uint64_t store_free_pages(struct av_txn *txn);
/* Writes META "head" when the transaction appended. */
void store_journal_seal(struct av_txn *txn);

/* pages.c. Before a write transaction; when one was committed; before the store is closed. */
void store_pages_prepare(struct av_store *store);
void store_pages_count(struct av_store *store, size_t puts);
void store_pages_release(struct av_store *store);

/* image.c: data.mdb as it lies on disk, before LMDB maps it. `thorough` walks every page. AV_NOT_FOUND: no
 * such file; AV_DAMAGED, AV_NEWER, AV_IO: *ret_what says what is wrong (static). */
int store_image_check(const char *path, bool thorough, const char **ret_what);

/* guard.c. Each returns the status and sets the sentence. */
int store_refuse(const char **ret_why, int status, const char *format, ...) AV_PRINTF(3, 4);
int store_refuse_code(const char **ret_why, const char *path, int mdb_code);
int store_refuse_image(const char **ret_why, const char *path, int status, const char *what);
/* One opening of a folder in a process. */
int store_register(struct av_store *store, const char **ret_why);
void store_unregister(struct av_store *store);
/* One daemon on a store. *ret_unfinished: there is no store yet, or its making was cut off. */
int store_take_lock(struct av_store *store, const char **ret_why, bool *ret_unfinished);
int store_check_file(struct av_store *store, bool unfinished, const char **ret_why);
/* From here on a missing data file is a loss, no longer the beginning. */
int store_mark_finished(struct av_store *store, const struct av_store_options *options);
bool store_join(char ret_file[STORE_PATH_MAX], const char *path, const char *name);

/* Makes the names in a folder durable. AV_IO. */
int store_sync_folder(const char *path);

#endif
