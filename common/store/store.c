/* store.c - opening and closing: whose store it is, its tables.
 *
 * Its identity (format, daemon, instance, clock) stands in META and is looked at before anything is written.
 */
#include "store/store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "seal/crypto.h"

/* clang-format off */
static const struct av_table_decl common_tables[AV_TABLE_OWN] = {
	[AV_TABLE_META]       = {"meta",       0},
	[AV_TABLE_JOURNAL]    = {"journal",    AV_APPENDED},
	[AV_TABLE_BY_CASE]    = {"by_case",    AV_PROJECTION},
	[AV_TABLE_REFERENCES] = {"references", 0},
	[AV_TABLE_QUARANTINE] = {"quarantine", 0},
	[AV_TABLE_CONTENT]    = {"content",    AV_APPENDED}, /* ids grow with time */
	[AV_TABLE_DOOMED]     = {"doomed",     0},
	[AV_TABLE_GRANTS]     = {"grants",     AV_PROJECTION},
	[AV_TABLE_ATTEMPTS]   = {"attempts",   0},
}; /* clang-format on */

static int open_env(struct av_store *store)
{
	char file[STORE_PATH_MAX];
	/* Without MDB_NOMEMINIT: a page is cleared before it is used, so that nothing else of this process's memory
	 * lies on the disk. */
	unsigned int flags = MDB_NOTLS;
	int rc = mdb_env_create(&store->env);
	if (rc == 0)
		rc = mdb_env_set_mapsize(store->env, store->map_bytes);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(store->env, STORE_TABLES_MAX);
	if (rc != 0)
		return rc;
	if (store->read_only) {
		flags |= MDB_RDONLY;
		/* A copy that no daemon has used has no lock.mdb, and gets none. */
		if (store_join(file, store->path, "lock.mdb") && access(file, F_OK) < 0)
			flags |= MDB_NOLOCK;
	}
	return mdb_env_open(store->env, store->path, flags, 0600);
}

/* META is LMDB's unnamed tree, in which the roots of the others stand: every commit writes its page anyway.
 */
static const char *store_table_name(const struct av_store *store, unsigned int table)
{
	return table == AV_TABLE_META ? NULL : store->tables[table].name;
}

static bool value_is(struct av_bytes value, const char *text)
{
	return av_bytes_equal(value, av_bytes_of(text));
}

/* Whose store is it? AV_NOT_FOUND: there is nothing in it. */
static int check_identity(struct av_store *store, const struct av_store_options *options, struct av_txn *txn,
	const char **ret_why)
{
	struct av_bytes value;
	MDB_stat stat;
	int rc = mdb_dbi_open(
		txn->mdb, store_table_name(store, AV_TABLE_META), 0, &store->dbis[AV_TABLE_META]);
	if (rc == 0)
		rc = mdb_stat(txn->mdb, store->dbis[AV_TABLE_META], &stat);
	if (rc != 0)
		return store_refuse_code(ret_why, store->path, rc);
	if (stat.ms_entries == 0)
		return AV_NOT_FOUND;
	store->present[AV_TABLE_META] = true;
	if (av_get(txn, AV_TABLE_META, av_bytes_of("format"), &value) != AV_OK || value.size != 4)
		return store_refuse_image(ret_why, store->path, AV_DAMAGED, "does not say what it is");
	uint32_t format = av_get_u32(value.data);
	if (format > AV_STORE_FORMAT)
		return store_refuse(ret_why, AV_NEWER,
			"The store in %s has format %lu, this program knows format %d: install the newer "
			"version.",
			store->path, (unsigned long)format, AV_STORE_FORMAT);
	if (av_get(txn, AV_TABLE_META, av_bytes_of("daemon"), &value) != AV_OK ||
		!value_is(value, options->daemon))
		return store_refuse(ret_why, AV_CONFLICT,
			"The store in %s belongs to another daemon than %s: check the path in the settings.",
			store->path, options->daemon);
	if (av_get(txn, AV_TABLE_META, av_bytes_of("instance"), &value) != AV_OK ||
		!value_is(value, options->instance))
		return store_refuse(ret_why, AV_CONFLICT,
			"The store in %s belongs to another instance than %s: check the path and the "
			"instance in the "
			"settings.",
			store->path, options->instance);
	store->stepped = av_get(txn, AV_TABLE_META, av_bytes_of("stepped"), &value) == AV_OK;
	if (store->stepped && options->production)
		return store_refuse(ret_why, AV_FORBIDDEN,
			"The store in %s was made under a stepped clock, for development: production must "
			"have a store of "
			"its own.",
			store->path);
	return AV_OK;
}

static void put_identity(struct av_txn *txn, const struct av_store_options *options, struct av_random *random)
{
	unsigned char format[4], made_at[8], epoch[AV_ID_SIZE];
	av_put_u32(format, AV_STORE_FORMAT);
	av_put_u64(made_at, (uint64_t)options->now_ms);
	av_random_fill(random, epoch, sizeof epoch);
	av_put(txn, AV_TABLE_META, av_bytes_of("format"), av_bytes(format, sizeof format));
	av_put(txn, AV_TABLE_META, av_bytes_of("daemon"), av_bytes_of(options->daemon));
	av_put(txn, AV_TABLE_META, av_bytes_of("instance"), av_bytes_of(options->instance));
	av_put(txn, AV_TABLE_META, av_bytes_of("made_at"), av_bytes(made_at, sizeof made_at));
	av_put(txn, AV_TABLE_META, av_bytes_of("epoch"), av_bytes(epoch, sizeof epoch));
}

static int open_tables(struct av_txn *txn, unsigned int flags)
{
	struct av_store *store = txn->store;
	for (unsigned int i = 0; i < store->table_count; i++) {
		int rc = mdb_dbi_open(txn->mdb, store_table_name(store, i), flags, &store->dbis[i]);
		if (rc != 0 && !(rc == MDB_NOTFOUND && store->read_only))
			return rc;
		store->present[i] = rc == 0;
	}
	return 0;
}

/* The handles of the tables are kept by a commit, also of a transaction that reads. */
static int open_for_reading(
	struct av_store *store, const struct av_store_options *options, const char **ret_why)
{
	struct av_txn txn = {.store = store};
	int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn.mdb);
	if (rc != 0)
		return store_refuse_code(ret_why, store->path, rc);
	int status = check_identity(store, options, &txn, ret_why);
	if (status == AV_NOT_FOUND)
		status = store_refuse(ret_why, status, "There is no store in %s.", store->path);
	if (status == AV_OK && (rc = open_tables(&txn, 0)) != 0)
		status = store_refuse_code(ret_why, store->path, rc);
	if (status != AV_OK) {
		mdb_txn_abort(txn.mdb);
		return status;
	}
	rc = mdb_txn_commit(txn.mdb);
	return rc == 0 ? AV_OK : store_refuse_code(ret_why, store->path, rc);
}

static int open_for_writing(struct av_store *store, const struct av_store_options *options, bool unfinished,
	struct av_random *random, const char **ret_why)
{
	struct av_txn look = {.store = store}, *txn = NULL;
	int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &look.mdb);
	if (rc != 0)
		return store_refuse_code(ret_why, store->path, rc);
	int status = check_identity(store, options, &look, ret_why);
	mdb_txn_abort(look.mdb);
	if (status == AV_NOT_FOUND && !unfinished)
		return store_refuse_image(ret_why, store->path, AV_DAMAGED, "holds no store");
	if (status != AV_OK && status != AV_NOT_FOUND)
		return status;
	store->is_new = status == AV_NOT_FOUND;

	status = av_txn_begin_write(store, &txn);
	if (status != AV_OK)
		return store_refuse(ret_why, status, "The store in %s cannot be written: %s.", store->path,
			av_status_text(status));
	if ((rc = open_tables(txn, MDB_CREATE)) != 0)
		av_txn_fail(txn, store_status(rc));
	if (store->is_new)
		put_identity(txn, options, random);
	if (options->stepped_clock && !store->stepped) {
		if (!store->is_new && av_table_count(txn, AV_TABLE_JOURNAL) > 0) {
			av_txn_abort(&txn);
			return store_refuse(ret_why, AV_FORBIDDEN,
				"The store in %s holds what happened under the real clock: a stepped clock "
				"must have a "
				"store of its own.",
				store->path);
		}
		av_put(txn, AV_TABLE_META, av_bytes_of("stepped"), av_bytes("\1", 1));
		store->stepped = true;
	}
	status = av_txn_commit(&txn);
	if (status != AV_OK)
		return store_refuse(ret_why, status, "The store in %s cannot be written: %s.", store->path,
			av_status_text(status));
	return AV_OK;
}

static int open_steps(struct av_store *store, const struct av_store_options *options,
	struct av_random *random, const char **ret_why)
{
	bool unfinished = false;
	int status = AV_OK, dead;
	if (!store->read_only && mkdir(store->path, 0700) < 0 && errno != EEXIST)
		return store_refuse(ret_why, errno == ENOSPC ? AV_FULL : AV_IO,
			"The folder %s cannot be made (%s): make the folder above it, or correct the path.",
			store->path, strerror(errno));
	status = store_register(store, ret_why);
	if (status == AV_OK && !store->read_only)
		status = store_take_lock(store, ret_why, &unfinished);
	if (status == AV_OK)
		status = store_check_file(store, unfinished, ret_why);
	if (status != AV_OK)
		return status;
	int rc = open_env(store);
	if (rc != 0)
		return store_refuse_code(ret_why, store->path, rc);
	if (store->read_only)
		return open_for_reading(store, options, ret_why);
	mdb_reader_check(store->env, &dead);
	status = open_for_writing(store, options, unfinished, random, ret_why);
	if (status == AV_OK && unfinished && store_mark_finished(store, options) != AV_OK)
		return store_refuse(ret_why, AV_IO, "The store in %s cannot be synced to disk.", store->path);
	return status;
}

static int take_options(struct av_store *store, const struct av_store_options *options)
{
	if (options->table_count > STORE_OWN_TABLES_MAX || strlen(options->path) + 64 > STORE_PATH_MAX)
		return AV_INVALID;
	store->path = strdup(options->path);
	store->map_bytes = options->map_bytes;
	store->read_only = options->read_only;
	memcpy(store->tables, common_tables, sizeof common_tables);
	store->table_count = AV_TABLE_OWN;
	for (size_t i = 0; i < options->table_count; i++)
		store->tables[store->table_count++] = options->tables[i];
	return store->path ? AV_OK : AV_MEMORY;
}

int av_store_open(const struct av_store_options *options, struct av_random *random,
	struct av_store **ret_store, const char **ret_why)
{
	if (av_crypto_start() != AV_OK)
		return store_refuse(ret_why, AV_CRYPTO, "libsodium does not start: install it anew.");
	struct av_store *store = calloc(1, sizeof *store);
	if (!store)
		return store_refuse(ret_why, AV_MEMORY, "Out of memory.");
	store->lock_fd = -1;
	pthread_mutex_init(&store->pool_lock, NULL);
	int status = take_options(store, options);
	if (status != AV_OK) {
		store_refuse(ret_why, status, "The store cannot be opened: %s.", av_status_text(status));
	} else {
		status = open_steps(store, options, random, ret_why);
	}
	if (status != AV_OK) {
		av_store_close(&store);
		return status;
	}
	MDB_stat stat;
	mdb_env_stat(store->env, &stat);
	store->page_size = stat.ms_psize;
	*ret_store = store;
	return AV_OK;
}

void av_store_close(struct av_store **store_at)
{
	if (!store_at || !*store_at)
		return;
	struct av_store *store = AV_TAKE(*store_at);
	store_pages_release(store);
	while (store->pool) {
		struct av_txn *txn = store->pool;
		store->pool = txn->next;
		mdb_txn_abort(txn->mdb);
		free(txn);
	}
	if (store->env)
		mdb_env_close(store->env);
	store_unregister(store);
	if (store->lock_fd >= 0)
		close(store->lock_fd); /* and with it the lock */
	pthread_mutex_destroy(&store->pool_lock);
	free(store->path);
	free(store);
}

bool av_store_is_new(const struct av_store *store)
{
	return store->is_new;
}

size_t av_store_map_bytes(const struct av_store *store)
{
	return store->map_bytes;
}

bool av_store_stepped(const struct av_store *store)
{
	return store->stepped;
}

const struct av_table_decl *av_store_table(const struct av_store *store, unsigned int table)
{
	return table < store->table_count ? &store->tables[table] : NULL;
}
