/* txn.c - transactions that remember their first error, and what is done in them.
 *
 * There is one write transaction at a time, embedded in the store. Read transactions are pooled: at rest they
 * are reset and keep their slot in LMDB's reader table, so that beginning one is an atomic read and a store.
 */
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* clang-format off */
int store_status(int mdb_code)
{
	switch (mdb_code) {
	case MDB_SUCCESS:          return AV_OK;
	case MDB_NOTFOUND:         return AV_NOT_FOUND;
	case MDB_KEYEXIST:         return AV_EXISTS;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:                return AV_FULL;
	case MDB_TXN_FULL:         /* more pages than one transaction may change: a smaller batch fits */
	case MDB_BAD_VALSIZE:      return AV_TOO_LARGE;
	case MDB_PAGE_NOTFOUND:
	case MDB_CORRUPTED:
	case MDB_INVALID:
	case MDB_INCOMPATIBLE:     return AV_DAMAGED;
	case MDB_VERSION_MISMATCH: return AV_NEWER;
	case MDB_READERS_FULL:
	case EAGAIN:               return AV_BUSY;
	case ENOMEM:               return AV_MEMORY;
	case MDB_BAD_TXN:
	case MDB_BAD_DBI:
	case MDB_BAD_RSLOT:
	case EINVAL:               return AV_INTERNAL;
	default:                   return AV_IO; /* with MDB_PANIC */
	}
} /* clang-format on */

int av_txn_begin_write(struct av_store *store, struct av_txn **ret_txn)
{
	if (store->read_only)
		return AV_FORBIDDEN;
	if (atomic_exchange(&store->writing, true))
		return AV_BUSY;
	struct av_txn *txn = &store->writer;
	*txn = (struct av_txn){.store = store, .write = true};
	store_pages_prepare(store);
	int rc = mdb_txn_begin(store->env, NULL, 0, &txn->mdb);
	if (rc != 0) {
		atomic_store(&store->writing, false);
		return store_status(rc);
	}
	*ret_txn = txn;
	return AV_OK;
}

int av_txn_begin_read(struct av_store *store, struct av_txn **ret_txn)
{
	pthread_mutex_lock(&store->pool_lock);
	struct av_txn *txn = store->pool;
	if (txn)
		store->pool = txn->next;
	pthread_mutex_unlock(&store->pool_lock);

	int rc;
	if (txn) {
		rc = mdb_txn_renew(txn->mdb);
		if (rc != 0)
			mdb_txn_abort(txn->mdb);
	} else {
		txn = calloc(1, sizeof *txn);
		if (!txn)
			return AV_MEMORY;
		txn->store = store;
		rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn->mdb);
	}
	if (rc != 0) {
		free(txn);
		return store_status(rc);
	}
	txn->error = AV_OK;
	txn->head_known = false;
	*ret_txn = txn;
	return AV_OK;
}

static void end_read(struct av_txn *txn)
{
	struct av_store *store = txn->store;
	mdb_txn_reset(txn->mdb);
	pthread_mutex_lock(&store->pool_lock);
	txn->next = store->pool;
	store->pool = txn;
	pthread_mutex_unlock(&store->pool_lock);
}

static void end_write(struct av_txn *txn)
{
	txn->mdb = NULL;
	atomic_store(&txn->store->writing, false);
}

/* LMDB takes a write that was cut short by a full disk for EIO. Can the folder take anything at all? */
static bool disk_is_full(const struct av_store *store)
{
	char file[STORE_PATH_MAX];
	static const char page[65536];
	if ((size_t)snprintf(file, sizeof file, "%s/probe", store->path) >= sizeof file)
		return false;
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool full = fd < 0 && (errno == ENOSPC || errno == EDQUOT);
	if (fd >= 0) {
		ssize_t got = pwrite(fd, page, sizeof page, 0);
		full = (got >= 0 && got < (ssize_t)sizeof page) ||
		       (got < 0 && store_status(errno) == AV_FULL) ||
		       (fsync(fd) < 0 && store_status(errno) == AV_FULL);
		close(fd);
		unlink(file);
	}
	return full;
}

/* LMDB writes the pages, syncs them, then writes and syncs the meta page that makes them count. Before the
 * meta page nothing has changed; when the meta page itself failed nobody knows, and LMDB refuses further work
 * with MDB_PANIC. */
static int commit_failed(struct av_store *store, int rc)
{
	MDB_txn *probe;
	int probe_rc = mdb_txn_begin(store->env, NULL, 0, &probe);
	if (probe_rc != 0)
		return AV_IO;
	mdb_txn_abort(probe);
	if (rc == EIO && disk_is_full(store))
		return AV_FULL;
	return store_status(rc);
}

int av_txn_commit(struct av_txn **txn_at)
{
	struct av_txn *txn = AV_TAKE(*txn_at);
	if (!txn->write) {
		int error = txn->error;
		end_read(txn);
		return error;
	}
	store_journal_seal(txn);
	int status = txn->error;
	if (status != AV_OK) {
		mdb_txn_abort(txn->mdb);
	} else {
		int rc = mdb_txn_commit(txn->mdb);
		if (rc != 0)
			status = commit_failed(txn->store, rc);
		else
			store_pages_count(txn->store, txn->puts);
	}
	end_write(txn);
	return status;
}

void av_txn_abort(struct av_txn **txn_at)
{
	if (!txn_at || !*txn_at)
		return;
	struct av_txn *txn = AV_TAKE(*txn_at);
	if (!txn->write) {
		end_read(txn);
		return;
	}
	mdb_txn_abort(txn->mdb);
	end_write(txn);
}

int av_txn_error(const struct av_txn *txn)
{
	return txn->error;
}

void av_txn_fail(struct av_txn *txn, int status)
{
	if (txn->error == AV_OK && status < 0)
		txn->error = status;
}

bool store_table(struct av_txn *txn, unsigned int table, MDB_dbi *ret_dbi)
{
	if (txn->error != AV_OK)
		return false;
	if (table >= txn->store->table_count) {
		av_txn_fail(txn, AV_INTERNAL);
		return false;
	}
	*ret_dbi = txn->store->dbis[table];
	return txn->store->present[table];
}

/* false: the transaction has failed, or now fails. */
static bool key_fits(struct av_txn *txn, struct av_bytes key)
{
	if (key.size == 0)
		av_txn_fail(txn, AV_INVALID);
	if (key.size > AV_KEY_MAX)
		av_txn_fail(txn, AV_TOO_LARGE);
	return txn->error == AV_OK;
}

static MDB_val to_val(struct av_bytes bytes)
{
	union {
		const void *from;
		void *to;
	} data = {bytes.data};
	return (MDB_val){bytes.size, data.to};
}

int av_get(struct av_txn *txn, unsigned int table, struct av_bytes key, struct av_bytes *ret_value)
{
	MDB_dbi dbi;
	MDB_val at = to_val(key), value;
	if (!store_table(txn, table, &dbi) || !key_fits(txn, key))
		return txn->error != AV_OK ? txn->error : AV_NOT_FOUND;
	int rc = mdb_get(txn->mdb, dbi, &at, &value);
	if (rc == MDB_NOTFOUND)
		return AV_NOT_FOUND;
	if (rc != 0) {
		av_txn_fail(txn, store_status(rc));
		return txn->error;
	}
	*ret_value = av_bytes(value.mv_data, value.mv_size);
	return AV_OK;
}

/* Keys that only grow go behind the last one, and fill pages to the brim; a key that is there is replaced. */
static bool put(
	struct av_txn *txn, unsigned int table, struct av_bytes key, MDB_val *value, unsigned int flags)
{
	MDB_dbi dbi;
	MDB_val at = to_val(key);
	if (!store_table(txn, table, &dbi) || !key_fits(txn, key))
		return false;
	if (!txn->write)
		av_txn_fail(txn, AV_FORBIDDEN);
	if (value->mv_size > UINT32_MAX)
		av_txn_fail(txn, AV_TOO_LARGE);
	if (txn->error != AV_OK)
		return false;
	unsigned int append = txn->store->tables[table].flags & AV_APPENDED ? MDB_APPEND : 0;
	txn->puts++;
	int rc = mdb_put(txn->mdb, dbi, &at, value, flags | append);
	if (rc == MDB_KEYEXIST && append)
		rc = mdb_put(txn->mdb, dbi, &at, value, flags);
	if (rc == MDB_KEYEXIST && flags & MDB_NOOVERWRITE)
		return false;
	if (rc != 0)
		av_txn_fail(txn, store_status(rc));
	return rc == 0;
}

void av_put(struct av_txn *txn, unsigned int table, struct av_bytes key, struct av_bytes value)
{
	MDB_val data = to_val(value.size ? value : av_bytes("", 0));
	put(txn, table, key, &data, 0);
}

void av_put_new(struct av_txn *txn, unsigned int table, struct av_bytes key, struct av_bytes value)
{
	MDB_val data = to_val(value.size ? value : av_bytes("", 0));
	put(txn, table, key, &data, MDB_NOOVERWRITE);
}

void *av_put_room(struct av_txn *txn, unsigned int table, struct av_bytes key, size_t size)
{
	MDB_val room = {size, NULL};
	return put(txn, table, key, &room, MDB_RESERVE) ? room.mv_data : NULL;
}

void av_delete(struct av_txn *txn, unsigned int table, struct av_bytes key)
{
	MDB_dbi dbi;
	MDB_val at = to_val(key);
	if (!store_table(txn, table, &dbi) || !key_fits(txn, key))
		return;
	if (!txn->write) {
		av_txn_fail(txn, AV_FORBIDDEN);
		return;
	}
	int rc = mdb_del(txn->mdb, dbi, &at, NULL);
	if (rc != 0 && rc != MDB_NOTFOUND)
		av_txn_fail(txn, store_status(rc));
}

size_t av_table_count(struct av_txn *txn, unsigned int table)
{
	MDB_dbi dbi;
	MDB_stat stat;
	if (!store_table(txn, table, &dbi))
		return 0;
	int rc = mdb_stat(txn->mdb, dbi, &stat);
	if (rc != 0) {
		av_txn_fail(txn, store_status(rc));
		return 0;
	}
	return stat.ms_entries;
}

static bool counter_key(struct av_txn *txn, const char *name, char ret_key[64], struct av_bytes *ret_bytes)
{
	int size = snprintf(ret_key, 64, "counter.%s", name);
	if (size >= 64)
		av_txn_fail(txn, AV_TOO_LARGE);
	*ret_bytes = av_bytes(ret_key, (size_t)size);
	return size < 64;
}

uint64_t av_counter(struct av_txn *txn, const char *name)
{
	char text[64];
	struct av_bytes key, value;
	if (!counter_key(txn, name, text, &key) || av_get(txn, AV_TABLE_META, key, &value) != AV_OK)
		return 0;
	if (value.size != 8) {
		av_txn_fail(txn, AV_DAMAGED);
		return 0;
	}
	return av_get_u64(value.data);
}

void av_counter_set(struct av_txn *txn, const char *name, uint64_t value)
{
	char text[64];
	unsigned char number[8];
	struct av_bytes key;
	av_put_u64(number, value);
	if (counter_key(txn, name, text, &key))
		av_put(txn, AV_TABLE_META, key, av_bytes(number, sizeof number));
}
