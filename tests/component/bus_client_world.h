/* bus_client_world.h - a daemon whose loop runs in a thread of its own, for the tests of libavvik: it answers
 * commands, publishes a summary stream and serves a feed. */
#ifndef AVVIK_TESTS_BUS_CLIENT_WORLD_H
#define AVVIK_TESTS_BUS_CLIENT_WORLD_H

#include <pthread.h>
#include "avvik/client.h"
#include "bus/feed.h"
#include "bus_world.h"
#include "wire/message.h"

#define FIGURES_MAX 5000

/* Bus, sockets, store and feed belong to the loop's thread: a test touches them by daemon_on_loop alone. What
 * both sides read or change is under `lock`. */
struct daemon {
	struct world world;
	pthread_t thread;
	uv_async_t async;
	pthread_mutex_t lock;
	pthread_cond_t done;
	void (*work)(struct daemon *daemon); /* to be done on the loop */
	struct av_socket *command, *stream;
	struct av_store *store;
	struct av_random random;
	struct av_feed_server *feed;
	char command_endpoint[100], stream_endpoint[100], feed_endpoint[100];
	/* what reporting would have */
	unsigned char epoch[16];
	uint64_t sequence;
	size_t figure_count;
	int64_t figures[FIGURES_MAX];
	unsigned int snapshots, mute;
	Avvik__V1__SummaryUpdate *update;
	bool turn; /* the sequence moves after the first page of a snapshot */
	bool unit_forbidden;
	size_t waiting; /* feed readers */
};

/* cmocka: *state is a struct daemon, running. ALICE may read all of it, BOB may send queries. */
int daemon_start(void **state);
int daemon_stop(void **state);
#define daemon_test(function) cmocka_unit_test_setup_teardown(function, daemon_start, daemon_stop)

/* Has it done on the daemon's loop, under the lock, and waits. */
void daemon_on_loop(struct daemon *d, void (*work)(struct daemon *));
/* The command socket goes and comes back at the same endpoint: on the loop. */
void daemon_open_command(struct daemon *d);
void daemon_close_command(struct daemon *d);
/* Of a client with that person's keys; points into the daemon. */
struct av_client_options daemon_options(struct daemon *d, enum who who, const char *endpoint);
/* The key of a figure by its index; points to `text`. */
Avvik__V1__FigureKey daemon_figure_key(size_t index, char text[20]);

#endif
