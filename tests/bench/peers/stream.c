#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"

struct stream {
	int fd;
	SSL *ssl;
	char *out;
	size_t begin, end, room;
};

static bool secure(struct stream *stream, const char *ca)
{
	static SSL_CTX *context;
	if (!context) {
		context = SSL_CTX_new(TLS_client_method());
		if (!context || !SSL_CTX_load_verify_locations(context, ca, NULL))
			return false;
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_mode(
			context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	}
	stream->ssl = SSL_new(context);
	return stream->ssl && SSL_set_fd(stream->ssl, stream->fd) && SSL_connect(stream->ssl) == 1;
}

struct stream *stream_open(int port, const char *ca, const char **ret_why)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((unsigned short)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct stream *stream = calloc(1, sizeof *stream);
	int one = 1;
	if (!stream)
		exit(1);
	stream->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (stream->fd < 0 || connect(stream->fd, (struct sockaddr *)&to, sizeof to) != 0)
		*ret_why = strerror(errno);
	else if (ca && !secure(stream, ca))
		*ret_why = "no TLS";
	else {
		setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		fcntl(stream->fd, F_SETFL, O_NONBLOCK);
		return stream;
	}
	stream_close(stream);
	return NULL;
}

void stream_close(struct stream *stream)
{
	SSL_free(stream->ssl);
	if (stream->fd >= 0)
		close(stream->fd);
	free(stream->out);
	free(stream);
}

void stream_put(struct stream *stream, const void *data, size_t size)
{
	if (stream->begin == stream->end)
		stream->begin = stream->end = 0;
	if (stream->room - stream->end < size) {
		memmove(stream->out, stream->out + stream->begin, stream->end - stream->begin);
		stream->end -= stream->begin;
		stream->begin = 0;
		while (stream->room - stream->end < size)
			stream->room = stream->room ? stream->room * 2 : 1 << 16;
		stream->out = realloc(stream->out, stream->room);
		if (!stream->out)
			exit(1);
	}
	memcpy(stream->out + stream->end, data, size);
	stream->end += size;
}

/* Of a call that gave less than one byte: whether it may be made again later. */
static bool again(const struct stream *stream, long result)
{
	if (!stream->ssl)
		return result < 0 && (errno == EAGAIN || errno == EINTR);
	int error = SSL_get_error(stream->ssl, (int)result);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

bool stream_send(struct stream *stream)
{
	while (stream->begin < stream->end) {
		const char *from = stream->out + stream->begin;
		size_t size = stream->end - stream->begin;
		long result = stream->ssl ? SSL_write(stream->ssl, from, (int)size)
					  : send(stream->fd, from, size, MSG_NOSIGNAL);
		if (result <= 0)
			return again(stream, result);
		stream->begin += (size_t)result;
	}
	return true;
}

long stream_take(struct stream *stream, void *to, size_t room)
{
	long result = stream->ssl ? SSL_read(stream->ssl, to, (int)room) : recv(stream->fd, to, room, 0);
	return result > 0 ? result : again(stream, result) ? 0 : -1;
}

struct pollfd stream_wants(const struct stream *stream)
{
	short events = POLLIN;
	if (stream->begin < stream->end)
		events |= POLLOUT;
	return (struct pollfd){stream->fd, events, 0};
}
