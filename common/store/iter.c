/* iter.c - going through a table in key order.
 *
 * After a deletion the next step seeks again behind the deleted key, rather than trust a cursor whose page
 * may have been merged away.
 */
#include "store/store_internal.h"

static int compare(struct av_bytes a, struct av_bytes b)
{
	size_t size = AV_MIN(a.size, b.size);
	int order = size ? memcmp(a.data, b.data, size) : 0;
	return order ? order : (a.size > b.size) - (a.size < b.size);
}

static bool has_prefix(const MDB_val *key, const void *prefix, size_t size)
{
	return key->mv_size >= size && (size == 0 || memcmp(key->mv_data, prefix, size) == 0);
}

static MDB_cursor *open_cursor(struct av_txn *txn, unsigned int table)
{
	MDB_dbi dbi;
	MDB_cursor *cursor = NULL;
	if (!store_table(txn, table, &dbi))
		return NULL;
	int rc = mdb_cursor_open(txn->mdb, dbi, &cursor);
	if (rc != 0)
		av_txn_fail(txn, store_status(rc));
	return rc == 0 ? cursor : NULL;
}

struct av_iter av_iter(struct av_txn *txn, unsigned int table, struct av_bytes prefix, struct av_bytes from)
{
	struct av_iter it;
	it.txn = txn;
	it.key = it.value = av_bytes(NULL, 0);
	it.cursor = NULL;
	it.prefix_size = it.from_size = 0;
	it.started = false;
	if (prefix.size > AV_KEY_MAX || from.size > AV_KEY_MAX) {
		av_txn_fail(txn, AV_TOO_LARGE);
		return it;
	}
	if (compare(from, prefix) < 0)
		from = prefix;
	if (prefix.size)
		memcpy(it.prefix, prefix.data, prefix.size);
	if (from.size)
		memcpy(it.from, from.data, from.size);
	it.prefix_size = prefix.size;
	it.from_size = from.size;
	it.cursor = open_cursor(txn, table);
	return it;
}

bool av_iter_next(struct av_iter *it)
{
	MDB_val key = {it->from_size, it->from}, value;
	if (!it->cursor || it->txn->error != AV_OK)
		return false;
	MDB_cursor_op op = it->started ? MDB_NEXT : it->from_size ? MDB_SET_RANGE : MDB_FIRST;
	int rc = mdb_cursor_get(it->cursor, &key, &value, op);
	it->started = true;
	if (rc == 0 && has_prefix(&key, it->prefix, it->prefix_size)) {
		it->key = av_bytes(key.mv_data, key.mv_size);
		it->value = av_bytes(value.mv_data, value.mv_size);
		return true;
	}
	if (rc != 0 && rc != MDB_NOTFOUND)
		av_txn_fail(it->txn, store_status(rc));
	av_iter_end(it);
	return false;
}

void av_iter_delete(struct av_iter *it)
{
	if (!it->cursor || !it->started || it->txn->error != AV_OK)
		return;
	if (!it->txn->write) {
		av_txn_fail(it->txn, AV_FORBIDDEN);
		return;
	}
	memcpy(it->from, it->key.data, it->key.size);
	it->from_size = it->key.size;
	it->started = false;
	it->key = it->value = av_bytes(NULL, 0);
	int rc = mdb_cursor_del(it->cursor, 0);
	if (rc != 0)
		av_txn_fail(it->txn, store_status(rc));
}

void av_iter_end(struct av_iter *it)
{
	if (it->cursor)
		mdb_cursor_close(it->cursor);
	it->cursor = NULL;
	it->key = it->value = av_bytes(NULL, 0);
}

/* The least key behind all that begin with the prefix: its last byte that can be raised is, and what follows
 * is cut. false: there is none. */
static bool behind(struct av_bytes prefix, unsigned char ret_key[AV_KEY_MAX], size_t *ret_size)
{
	const unsigned char *from = prefix.data;
	size_t size = prefix.size;
	while (size > 0 && from[size - 1] == 0xff)
		size--;
	if (size == 0)
		return false;
	memcpy(ret_key, from, size);
	ret_key[size - 1]++;
	*ret_size = size;
	return true;
}

int av_last(struct av_txn *txn, unsigned int table, struct av_bytes prefix, struct av_bytes *ret_key,
	struct av_bytes *ret_value)
{
	unsigned char limit[AV_KEY_MAX];
	MDB_val key = {0, limit}, value;
	if (prefix.size > AV_KEY_MAX)
		av_txn_fail(txn, AV_TOO_LARGE);
	MDB_cursor *cursor = open_cursor(txn, table);
	if (!cursor)
		return txn->error != AV_OK ? txn->error : AV_NOT_FOUND;
	int rc = MDB_NOTFOUND;
	if (behind(prefix, limit, &key.mv_size)) {
		rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
		if (rc == 0)
			rc = mdb_cursor_get(cursor, &key, &value, MDB_PREV);
		else if (rc == MDB_NOTFOUND)
			rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
	} else {
		rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
	}
	mdb_cursor_close(cursor);
	if (rc == MDB_NOTFOUND || (rc == 0 && !has_prefix(&key, prefix.data, prefix.size)))
		return AV_NOT_FOUND;
	if (rc != 0) {
		av_txn_fail(txn, store_status(rc));
		return txn->error;
	}
	*ret_key = av_bytes(key.mv_data, key.mv_size);
	*ret_value = av_bytes(value.mv_data, value.mv_size);
	return AV_OK;
}
