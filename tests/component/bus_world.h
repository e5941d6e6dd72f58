/* bus_world.h - a loop with a bus on loopback, its principals, and hand-made ZeroMQ peers: for the tests of
 * bus. */
#ifndef AVVIK_TESTS_BUS_WORLD_H
#define AVVIK_TESTS_BUS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zmq.h>
#include "bus/socket.h"

#define WORLD_NOW INT64_C(1775000000000) /* 2026-04-01 */

enum who { ALICE, BOB, CAROL, STRANGER, PEOPLE };

struct world {
	uv_loop_t loop;
	uv_timer_t limit;
	bool timed_out;
	struct av_keypair server, people[PEOPLE];
	struct av_bus *bus;
	void *zmq;	 /* context of the hand-made peers */
	void *peers[64]; /* those still open are closed by world_stop, so that a failed test ends */
	int64_t now_ms;
	char folder[64];
	unsigned int refused; /* times told */
	char refused_key[AV_CURVE_TEXT], refused_why[200];
};

void world_start(struct world *world, unsigned int connections);
void world_stop(struct world *world);
/* Puts a table in force. Rows of who, name, rights ("feed, summary"), units ("a, b", "" for all), until (""
 * for never). */
struct world_row {
	enum who who;
	const char *name, *rights, *units, *until;
};
void world_principals(struct world *world, const struct world_row *rows, size_t count);
/* Runs the loop until it is done, at most so long by a real clock. False: time ran out. */
bool world_run(struct world *world, bool (*done)(void *context), void *context, unsigned int ms);
void world_wait(struct world *world, unsigned int ms); /* runs the loop so long */
/* A peer by hand: type of ZeroMQ, CURVE keys; connects. server_key NULL: the world's; who < 0: no CURVE at
 * all. */
void *world_peer(struct world *world, int type, int who, const char *server_key, const char *endpoint);
void world_peer_close(struct world *world, void *peer);
void world_peer_keep(struct world *world, void *peer); /* one made without world_peer */
/* Runs the loop until the peer has a message: the number of its frames, the last one in `ret_text`. 0: none
 * came. */
int world_receive(struct world *world, void *peer, char *ret_text, size_t size, unsigned int ms);

#endif
