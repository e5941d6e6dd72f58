/* up.c - avvik up: all four daemons in the foreground, watched.
 *
 * The way to try and to develop. Daemons tell that they are ready as they tell systemd: by a datagram to
 * $NOTIFY_SOCKET, which is ours here; the kernel says which process sent it. Makes an instance when there is
 * none, starts the daemons that lie beside this program, waits until each is ready, starts one that ends
 * again (at once, then with a growing pause), and on Ctrl-C or SIGTERM lets all of them drain. In production
 * systemd does this.
 */
#define _GNU_SOURCE /* struct ucred */
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/status.h"
#include "health.h"
#include "instance.h"
#include "subcommands.h"

#define PAUSE_MAX_MS 10000
#define KILL_AFTER_MS 15000
#define CODE_CONFIGURATION 78 /* of the daemons: the settings, or the store that another one has */

struct child {
	struct up *up;
	uv_process_t process;
	uv_timer_t again;
	bool runs, known_ready, was_ready;
	int pause_ms;
	int64_t started_ms;
	const char *name, *path;
};

struct up {
	uv_loop_t loop;
	uv_signal_t interrupt, terminate, hangup;
	uv_timer_t kill;
	uv_poll_t notices;
	int notify_socket;
	struct child children[DAEMON_COUNT];
	struct tool *tool;
	const char *settings;
	bool stopping, told;
	int code;
};

static void child_start(struct child *child);
static void all_stop(struct up *up);

static void say(const struct up *up, const char *name, const char *text)
{
	if (!up->tool->json) {
		printf("%-13s %s\n", name, text);
		fflush(stdout);
	}
}

static void all_ended(struct up *up)
{
	for (int i = 0; i < DAEMON_COUNT; i++)
		if (up->children[i].runs)
			return;
	uv_stop(&up->loop);
}

static void on_again(uv_timer_t *timer)
{
	child_start(timer->data);
}

static void on_exit_of(uv_process_t *process, int64_t code, int signal)
{
	struct child *child = process->data;
	struct up *up = child->up;
	char text[160];

	child->runs = false;
	uv_close((uv_handle_t *)process, NULL);
	if (up->stopping) {
		all_ended(up);
		return;
	}
	if (code == CODE_CONFIGURATION && !child->was_ready) {
		tool_fail(0,
			"%s cannot start, and says why above: is the instance running already? `avvik "
			"status` tells",
			child->name);
		up->code = EXIT_REFUSED;
		all_stop(up);
		return;
	}
	child->pause_ms = av_clock_monotonic_ms() - child->started_ms > 60000
				  ? 0
				  : AV_MIN(child->pause_ms * 2 + 100, PAUSE_MAX_MS);
	if (signal)
		snprintf(text, sizeof text, "ended by signal %d: starting it again", signal);
	else
		snprintf(text, sizeof text, "ended with code %d: starting it again", (int)code);
	say(up, child->name, text);
	child->known_ready = false;
	uv_timer_start(&child->again, on_again, (uint64_t)child->pause_ms, 0);
}

static void child_start(struct child *child)
{
	struct up *up = child->up;
	char *words[] = {(char *)child->path, (char *)"--settings", (char *)up->settings, NULL};
	uv_stdio_container_t files[3] = {{.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD, .data.fd = 2},
		{.flags = UV_INHERIT_FD, .data.fd = 2}};
	uv_process_options_t options = {.file = child->path,
		.args = words,
		.exit_cb = on_exit_of,
		.stdio_count = 3,
		.stdio = files,
		.flags = UV_PROCESS_DETACHED};

	child->process.data = child;
	child->started_ms = av_clock_monotonic_ms();
	int error = uv_spawn(&up->loop, &child->process, &options);
	if (error) {
		tool_fail(0, "cannot start %s: %s", child->path, uv_strerror(error));
		uv_close((uv_handle_t *)&child->process, NULL);
		up->code = EXIT_REFUSED;
		uv_stop(&up->loop);
		return;
	}
	child->runs = true;
}

static void child_ready(struct up *up, int i)
{
	struct child *child = &up->children[i];
	const Avvik__V1__Endpoints *endpoints = tool_endpoints(up->tool, (enum tool_daemon)i);
	char text[300];
	int ready = 0;

	if (child->known_ready)
		return;
	child->known_ready = child->was_ready = true;
	snprintf(text, sizeof text, "ready: commands %s, feed %s", endpoints->command, endpoints->feed);
	say(up, child->name, text);
	for (int other = 0; other < DAEMON_COUNT; other++)
		ready += up->children[other].known_ready;
	if (ready < DAEMON_COUNT || up->told)
		return;
	up->told = true;
	if (up->tool->json)
		printf("{\"ready\": true, \"settings\": \"%s\"}\n", up->settings);
	else
		printf("all four are up. Settings: %s\nstop with Ctrl-C.\n", up->settings);
	fflush(stdout);
}

static void on_notice(uv_poll_t *poll, int status, int events)
{
	struct up *up = poll->data;
	char text[1024], control[CMSG_SPACE(sizeof(struct ucred))];

	AV_UNUSED(events);
	while (status == 0) {
		struct iovec piece = {.iov_base = text, .iov_len = sizeof text - 1};
		struct msghdr message = {.msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof control};
		struct ucred sender;
		ssize_t size = recvmsg(up->notify_socket, &message, MSG_DONTWAIT);
		struct cmsghdr *header = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
		if (size <= 0)
			return;
		text[size] = 0;
		if (!header || header->cmsg_type != SCM_CREDENTIALS || !strstr(text, "READY=1"))
			continue;
		memcpy(&sender, CMSG_DATA(header), sizeof sender);
		for (int i = 0; i < DAEMON_COUNT; i++)
			if (up->children[i].runs && up->children[i].process.pid == sender.pid)
				child_ready(up, i);
	}
}

/* An abstract name: nothing to clean up. */
static int notices_open(struct up *up)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int yes = 1, size = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "avvik-up-%ld",
			     (long)getpid());

	up->notify_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (up->notify_socket < 0 ||
		bind(up->notify_socket, (struct sockaddr *)&address,
			(socklen_t)(sizeof(sa_family_t) + 1 + (size_t)size)) != 0 ||
		setsockopt(up->notify_socket, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0)
		return AV_IO;
	address.sun_path[0] = '@';
	if (setenv("NOTIFY_SOCKET", address.sun_path, 1) != 0)
		return AV_IO;
	unsetenv("WATCHDOG_USEC"); /* nobody watches the watchdog here */
	uv_poll_init(&up->loop, &up->notices, up->notify_socket);
	up->notices.data = up;
	uv_poll_start(&up->notices, UV_READABLE, on_notice);
	return AV_OK;
}

static void on_kill(uv_timer_t *timer)
{
	struct up *up = timer->data;
	for (int i = 0; i < DAEMON_COUNT; i++)
		if (up->children[i].runs) {
			say(up, up->children[i].name, "did not end in time: killed");
			uv_process_kill(&up->children[i].process, SIGKILL);
		}
}

static void all_stop(struct up *up)
{
	up->stopping = true;
	for (int i = 0; i < DAEMON_COUNT; i++) {
		uv_timer_stop(&up->children[i].again);
		if (up->children[i].runs)
			uv_process_kill(&up->children[i].process, SIGTERM);
	}
	uv_timer_start(&up->kill, on_kill, KILL_AFTER_MS, 0);
	all_ended(up);
}

static void on_stop(uv_signal_t *handle, int number)
{
	struct up *up = handle->data;

	AV_UNUSED(number);
	if (up->stopping)
		return;
	say(up, "up", "stopping: each daemon finishes what it has");
	all_stop(up);
}

static void on_hangup(uv_signal_t *handle, int number)
{
	struct up *up = handle->data;
	for (int i = 0; i < DAEMON_COUNT; i++)
		if (up->children[i].runs)
			uv_process_kill(&up->children[i].process, number);
}

static int up_run(struct up *up)
{
	char *program = realpath("/proc/self/exe", NULL);
	const char *bin = program ? dirname(program) : ".";

	uv_loop_init(&up->loop);
	uv_signal_init(&up->loop, &up->interrupt);
	uv_signal_init(&up->loop, &up->terminate);
	uv_signal_init(&up->loop, &up->hangup);
	uv_timer_init(&up->loop, &up->kill);
	up->interrupt.data = up->terminate.data = up->hangup.data = up->kill.data = up;
	uv_signal_start(&up->interrupt, on_stop, SIGINT);
	uv_signal_start(&up->terminate, on_stop, SIGTERM);
	uv_signal_start(&up->hangup, on_hangup, SIGHUP);
	if (notices_open(up) != AV_OK) {
		free(program);
		return tool_fail(EXIT_REFUSED, "cannot listen for the daemons' notices");
	}
	for (int i = 0; i < DAEMON_COUNT; i++) {
		struct child *child = &up->children[i];
		child->up = up;
		child->name = daemon_names[i];
		child->path = av_arena_printf(up->tool->arena, "%s/avvik-%s", bin, daemon_names[i]);
		uv_timer_init(&up->loop, &child->again);
		child->again.data = child;
		child_start(child);
	}
	uv_run(&up->loop, UV_RUN_DEFAULT);
	free(program);
	return up->code;
}

int command_up(struct tool *tool, int argc, char **argv)
{
	const char *folder = NULL;
	int64_t stepped = 0;
	const struct tool_option words[] = {{"stepped", OPTION_TIME, &stepped}};
	struct up *up = av_arena_zalloc(tool->arena, sizeof *up);

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &folder, 1) < 0 || !up)
		return EXIT_USAGE;
	if (folder || (!tool->settings_path && !getenv("AVVIK_SETTINGS"))) {
		folder = folder ? folder : "state";
		const char *path = av_arena_printf(tool->arena, "%s/avvik.yaml", folder);
		struct instance_options options = {
			.folder = folder, .name = "lindaker", .stepped_at_ms = stepped};
		if (access(path, F_OK) != 0 && instance_make(tool, &options) < 0)
			return EXIT_REFUSED;
		tool->settings_path = path;
	}
	if (!tool_settings(tool))
		return EXIT_USAGE;
	char *real = realpath(tool->settings_path, NULL);
	up->tool = tool;
	up->settings = av_arena_strdup(tool->arena, real ? real : tool->settings_path);
	free(real);
	return up_run(up);
}
