/* floor.c - the floor that Avvik is measured beside: the least that takes a message, stores it durably and
 * answers.
 *
 * A ROUTER socket with CURVE; what has arrived is one batch, at most 4096; one put a message in LMDB; one
 * synced commit; then the answers. With --next it hands each message on to another of its kind after the
 * commit (without waiting for its answer), so that several make a row. With --until it ends when it has stored
 * so many.
 *
 *	floor --bind tcp://127.0.0.1:7000 --folder DIR --secret Z85 [--until N]
 *	      [--next tcp://… --next-key Z85 --own-public Z85 --own-secret Z85]
 */
#include <getopt.h>
#include <lmdb.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#define BATCH 4096
#define FRAME_MAX (256 * 1024)

struct item {
	zmq_msg_t route, body;
	int empty; /* an empty frame stood between */
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
	(void)number;
	stopping = 1;
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "floor: %s: %s\n", what, why);
	exit(1);
}

static void need(int good, const char *what)
{
	if (!good)
		fail(what, zmq_strerror(zmq_errno()));
}

static void *server_socket(void *context, const char *endpoint, const char *secret)
{
	void *socket = zmq_socket(context, ZMQ_ROUTER);
	int one = 1, hwm = 100000;
	int64_t size = FRAME_MAX;

	need(socket != NULL, "socket");
	if (*secret) {
		zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &one, sizeof one);
		zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, strlen(secret) + 1);
	}
	zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
	zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
	zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size, sizeof size);
	need(zmq_bind(socket, endpoint) == 0, endpoint);
	return socket;
}

static void *next_socket(
	void *context, const char *endpoint, const char *key, const char *own_public, const char *own_secret)
{
	void *socket = zmq_socket(context, ZMQ_DEALER);
	int hwm = 1000000;

	need(socket != NULL, "socket");
	if (*key) {
		zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, key, strlen(key) + 1);
		zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own_public, strlen(own_public) + 1);
		zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own_secret, strlen(own_secret) + 1);
	}
	zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
	zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
	need(zmq_connect(socket, endpoint) == 0, endpoint);
	return socket;
}

static int take(void *socket, struct item *item, int flags)
{
	zmq_msg_init(&item->route);
	if (zmq_msg_recv(&item->route, socket, flags) < 0) {
		zmq_msg_close(&item->route);
		return 0;
	}
	zmq_msg_init(&item->body);
	need(zmq_msg_recv(&item->body, socket, 0) >= 0, "receive");
	item->empty = zmq_msg_size(&item->body) == 0 && zmq_msg_more(&item->body);
	if (item->empty)
		need(zmq_msg_recv(&item->body, socket, 0) >= 0, "receive");
	while (zmq_msg_more(&item->body))
		need(zmq_msg_recv(&item->body, socket, 0) >= 0, "receive");
	return 1;
}

static void drain(void *socket)
{
	zmq_msg_t message;
	zmq_msg_init(&message);
	while (zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0)
		;
	zmq_msg_close(&message);
}

int main(int argc, char **argv)
{
	const char *bind = NULL, *folder = NULL, *secret = "", *next = NULL, *next_key = "", *own_public = "",
		   *own_secret = "", *until_text = "";
	static const struct option words[] = {{"bind", 1, 0, 'b'}, {"folder", 1, 0, 'f'},
		{"secret", 1, 0, 's'}, {"next", 1, 0, 'n'}, {"next-key", 1, 0, 'k'},
		{"own-public", 1, 0, 'p'}, {"own-secret", 1, 0, 'o'}, {"until", 1, 0, 'u'}, {0, 0, 0, 0}};
	int word;
	while ((word = getopt_long(argc, argv, "", words, NULL)) != -1) {
		const char **target = word == 'b'   ? &bind
				      : word == 'f' ? &folder
				      : word == 's' ? &secret
				      : word == 'n' ? &next
				      : word == 'k' ? &next_key
				      : word == 'p' ? &own_public
				      : word == 'o' ? &own_secret
				      : word == 'u' ? &until_text
						    : NULL;
		if (!target)
			return 2;
		*target = optarg;
	}
	if (!bind || !folder)
		return 2;
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);

	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	uint64_t sequence = 0, bytes = 0, batches = 0;
	int error = mdb_env_create(&env);
	if (!error)
		error = mdb_env_set_mapsize(env, (size_t)64 << 30);
	if (!error)
		error = mdb_env_open(env, folder, 0, 0600);
	if (!error)
		error = mdb_txn_begin(env, NULL, 0, &txn);
	if (!error)
		error = mdb_dbi_open(txn, NULL, MDB_INTEGERKEY | MDB_CREATE, &dbi);
	MDB_cursor *cursor = NULL;
	MDB_val last;
	if (!error)
		error = mdb_cursor_open(txn, dbi, &cursor);
	if (!error && mdb_cursor_get(cursor, &last, NULL, MDB_LAST) == 0) {
		memcpy(&sequence, last.mv_data, sizeof sequence); /* started again: go on after it */
		sequence++;
	}
	mdb_cursor_close(cursor);
	if (!error)
		error = mdb_txn_commit(txn);
	if (error)
		fail(folder, mdb_strerror(error));

	void *context = zmq_ctx_new();
	void *server = server_socket(context, bind, secret);
	printf("ready\n");
	fflush(stdout);
	void *after = next ? next_socket(context, next, next_key, own_public, own_secret) : NULL;
	static struct item items[BATCH];

	uint64_t until = *until_text ? strtoull(until_text, NULL, 10) : UINT64_MAX;
	while (!stopping && sequence < until) {
		zmq_pollitem_t polls[2] = {{server, 0, ZMQ_POLLIN, 0}, {after, 0, ZMQ_POLLIN, 0}};
		if (zmq_poll(polls, after ? 2 : 1, 1000) < 0)
			break;
		if (after && polls[1].revents)
			drain(after);
		int count = 0;
		while (count < BATCH && take(server, &items[count], ZMQ_DONTWAIT))
			count++;
		if (!count)
			continue;
		error = mdb_txn_begin(env, NULL, 0, &txn);
		for (int i = 0; i < count && !error; i++) {
			MDB_val key = {sizeof sequence, &sequence};
			MDB_val value = {zmq_msg_size(&items[i].body), zmq_msg_data(&items[i].body)};
			sequence++;
			bytes += value.mv_size;
			error = mdb_put(txn, dbi, &key, &value, MDB_APPEND);
		}
		if (!error)
			error = mdb_txn_commit(txn);
		if (error)
			fail("commit", mdb_strerror(error));
		batches++;
		for (int i = 0; i < count; i++) {
			zmq_msg_send(&items[i].route, server, ZMQ_SNDMORE);
			if (items[i].empty)
				zmq_send(server, "", 0, ZMQ_SNDMORE);
			zmq_send(server, "ok", 2, 0);
			if (after)
				zmq_msg_send(&items[i].body, after, 0);
			else
				zmq_msg_close(&items[i].body);
		}
	}
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	int linger = 0;
	zmq_setsockopt(server, ZMQ_LINGER, &linger, sizeof linger);
	zmq_close(server);
	if (after) {
		zmq_setsockopt(after, ZMQ_LINGER, &linger, sizeof linger);
		zmq_close(after);
	}
	zmq_ctx_term(context);
	printf("{\"stored\": %llu, \"bytes\": %llu, \"batches\": %llu, \"end_us\": %lld}\n",
		(unsigned long long)sequence, (unsigned long long)bytes, (unsigned long long)batches,
		(long long)end.tv_sec * 1000000 + end.tv_nsec / 1000);
	mdb_env_close(env);
	return 0;
}
