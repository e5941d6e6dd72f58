/* monitor.c - a socket's connections, as its monitor tells of them: counted for the limit, and a DEALER's
 * told to its owner. */
#include <stdio.h>
#include <zmq.h>
#include "bus/bus_internal.h"

/* The monitor tells of connections; its queue has no bound, since ZeroMQ's own thread would wait at one. */
struct pump *socket_monitor_open(struct av_socket *socket, void *zmq)
{
	char endpoint[64];
	int none = 0;
	snprintf(endpoint, sizeof(endpoint), "inproc://monitor-%u", ++socket->bus->monitors);
	int events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
		     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
		     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
	if (zmq_socket_monitor(zmq, endpoint, events) != 0)
		return NULL;
	void *pair = zmq_socket(socket->bus->context, ZMQ_PAIR);
	if (!pair)
		return NULL;
	if (zmq_setsockopt(pair, ZMQ_RCVHWM, &none, sizeof(none)) != 0 ||
		zmq_setsockopt(pair, ZMQ_LINGER, &none, sizeof(none)) != 0 ||
		zmq_connect(pair, endpoint) != 0) {
		zmq_close(pair);
		return NULL;
	}
	return pump_open(socket->bus, pair);
}

/* Each failed handshake is told once, and its connection's end after that; the monitor does not say whose end
 * it is, so ends are set against failures first. */
static void on_end(struct av_socket *socket)
{
	if (socket->connections > 0)
		socket->connections--;
	if (socket->failed > 0)
		socket->failed--;
	else if (socket->admitted > 0)
		socket->admitted--;
	/* Whatever was miscounted ends with the last connection. */
	if (socket->connections == 0)
		socket->admitted = socket->failed = 0;
}

static void on_failure(struct av_socket *socket, bool told)
{
	socket->counts.refused++;
	if (socket->options.kind == AV_SOCKET_DEALER)
		return;
	socket->failed++;
	if (!told)
		bus_refuse(socket->bus, "",
			"a peer's handshake failed: no CURVE, or another server key than ours");
}

static void on_success(struct av_socket *socket)
{
	if (socket->options.kind != AV_SOCKET_DEALER) {
		socket->admitted++;
		if (socket->bus->granted > 0)
			socket->bus->granted--;
		return;
	}
	/* Reading ZMQ_EVENTS makes the socket take the new connection up, so that the owner can send on it.
	 */
	if (socket->pump)
		pump_look(socket->pump);
	if (socket->options.on_connected)
		socket->options.on_connected(socket->options.context);
}

static void on_event(struct av_socket *socket, unsigned int event)
{
	if (event == ZMQ_EVENT_ACCEPTED)
		socket->connections++;
	else if (event == ZMQ_EVENT_DISCONNECTED)
		on_end(socket);
	else if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
		on_success(socket);
	else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
		on_failure(socket, true); /* the ZAP handler has told the key */
	else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ||
		 event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
		on_failure(socket, false);
}

void socket_monitor_drain(struct av_socket *socket)
{
	for (int i = 0; i < DRAIN_AT_ONCE && socket->monitor && !socket->monitor->empty; i++) {
		struct {
			uint16_t event;
			unsigned char rest[62];
		} head = {0};
		char address[300];
		if (zmq_recv(socket->monitor->zmq, &head, sizeof(head), ZMQ_DONTWAIT) < 0)
			return;
		zmq_recv(socket->monitor->zmq, address, sizeof(address), ZMQ_DONTWAIT);
		on_event(socket, head.event);
	}
}
