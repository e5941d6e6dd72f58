/* inject_point.c - the name of a point: daemon/phase/call/what it works on/what for.
 *
 *	phase	first (the store is being made), start, run, stop; from what the daemon tells systemd
 *	on	a file by its path below the daemon's folder, numbers and ids left out; the two pages in which LMDB
 *		says which state is the last are data.mdb#meta. A socket by its port, and whether its bytes are
 *		ZeroMQ's handshake or messages. `wake` is one thread waking another, `log` standard error, `notify`
 *		systemd.
 *	for	the purpose, from the functions on the stack (the table below). Names of functions are the same in
 *		every build, their addresses are not. "-": none, as in ZeroMQ's own threads, and for all wake-ups.
 */
#define _GNU_SOURCE
#include "inject.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_BYTES 8192
#define FRAMES_MAX 64

/* The innermost frame that stands here tells what for. Functions that are called from other files, so that no
 * build has them inside another. */
static const struct purpose {
	const char *function, *purpose;
} purposes[] = {
	/* clang-format off */
	{"store_pages_prepare",      "lengthening"},
	{"store_mark_finished",      "finishing-a-new-store"},
	{"av_keystore_extend",       "keys-ahead"},
	{"generation_save_wrapping", "new-wrapping-key"},
	{"generation_settle",        "clearing-old-keys"},
	{"generation_rewrite",       "rewriting-keys"},
	{"av_keystore_open",         "opening-keys"},
	{"av_keystore_destroy",      "destroying-keys"},
	{"av_store_open",            "opening"},
	{"av_turn_run",              "turn"},
	{"av_turn_upkeep",           "upkeep"},
	{"av_turn_recover",          "recovery"},
	{"av_turn_create",           "recovery"},
	{"maildir_open",             "opening-mail"},
	/* clang-format on */
};

static const char *daemon_name, *ports;
static char phase[16];
static uintptr_t base;
static struct range {
	uintptr_t begin, end;
	const char *purpose;
} ranges[sizeof purposes / sizeof *purposes];
static size_t range_count;

/* --- what for --- */

static int find_base(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	(void)context;
	base = info->dlpi_addr;
	return 1; /* the program is the first */
}

static void load_symbols(const char *file, const Elf64_Shdr *table, const char *names)
{
	const Elf64_Sym *symbols = (const void *)(file + table->sh_offset);
	for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++)
		for (size_t p = 0; p < sizeof purposes / sizeof *purposes &&
				   ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC;
			p++)
			if (strcmp(names + symbols[i].st_name, purposes[p].function) == 0 &&
				range_count < sizeof ranges / sizeof *ranges)
				ranges[range_count++] = (struct range){base + symbols[i].st_value,
					base + symbols[i].st_value + symbols[i].st_size, purposes[p].purpose};
}

/* The table of all symbols is in the program's file, not in memory. */
static void load_program(void)
{
	struct stat info;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const char *file = MAP_FAILED;
	if (fd >= 0 && fstat(fd, &info) == 0)
		file = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (file == MAP_FAILED)
		return;
	const Elf64_Ehdr *head = (const void *)file;
	const Elf64_Shdr *sections = (const void *)(file + head->e_shoff);
	for (size_t i = 0; i < head->e_shnum; i++)
		if (sections[i].sh_type == SHT_SYMTAB)
			load_symbols(file, &sections[i], file + sections[sections[i].sh_link].sh_offset);
	munmap((void *)(uintptr_t)file, (size_t)info.st_size);
}

static const char *name_purpose(void)
{
	void *frames[FRAMES_MAX];
	int count = backtrace(frames, FRAMES_MAX);
	for (int i = 0; i < count; i++)
		for (size_t r = 0; r < range_count; r++)
			if ((uintptr_t)frames[i] > ranges[r].begin && (uintptr_t)frames[i] <= ranges[r].end)
				return ranges[r].purpose;
	return "-";
}

/* --- what it works on --- */

/* Below the daemon's folder; numbers become N, ids (of which notices' mails have their names) ID. */
static void name_path(const char *path, char *ret_name, size_t room)
{
	char own[64];
	size_t used = 0;
	snprintf(own, sizeof own, "/%s/", daemon_name);
	const char *below = strstr(path, own), *mail = strstr(path, "/mail/");
	below = below		     ? below + strlen(own)
		: mail		     ? mail + 1
		: strrchr(path, '/') ? strrchr(path, '/') + 1
				     : path;
	while (*below && used + 3 < room) {
		size_t hex = strspn(below, "0123456789abcdef-"), digits = strspn(below, "0123456789");
		if (hex == 36) {
			used += (size_t)snprintf(ret_name + used, room - used, "ID");
			below += hex;
		} else if (digits) {
			ret_name[used++] = 'N';
			below += digits;
		} else {
			ret_name[used++] = *below++;
		}
	}
	ret_name[used] = '\0';
}

static bool path_of(int fd, char ret_path[POINT_PATH])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, ret_path, POINT_PATH - 1);
	ret_path[size > 0 ? size : 0] = '\0';
	return size > 0;
}

static unsigned int port_of(int fd, int (*which)(int, struct sockaddr *, socklen_t *), int *ret_family)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof address;
	if (which(fd, (struct sockaddr *)&address, &size) < 0)
		return 0;
	*ret_family = address.ss_family;
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

/* Looks a port up in AVVIK_INJECT_PORTS. */
static bool name_port(unsigned int port, char *ret_name, size_t room)
{
	char key[16];
	snprintf(key, sizeof key, "%u=", port);
	const char *found = port && ports ? strstr(ports, key) : NULL;
	if (!found || (found > ports && found[-1] != ','))
		return false;
	found += strlen(key);
	snprintf(ret_name, room, "%.*s", (int)strcspn(found, ","), found);
	return true;
}

/* ZMTP 3.0: the greeting begins with FF or ends with the mechanism; then commands named by a length and a
 * word, of which only MESSAGE carries anything of ours. */
static bool is_handshake(const unsigned char *data, size_t size)
{
	static const char *const words[] = {"\5HELLO", "\7WELCOME", "\10INITIATE", "\5READY"};
	if (size > 0 && (data[0] == 0xFF || data[0] == 3))
		return true;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (memmem(data, size < 20 ? size : 20, words[i], strlen(words[i])))
			return true;
	return false;
}

static void name_socket(const struct call *call, char *ret_name, size_t room)
{
	int family = AF_UNSPEC;
	char port[64] = "tcp";
	if (!name_port(port_of(call->fd, getsockname, &family), port, sizeof port))
		name_port(port_of(call->fd, getpeername, &family), port, sizeof port);
	if (family == AF_UNIX || family == AF_UNSPEC) {
		snprintf(ret_name, room, "notify");
		return;
	}
	snprintf(ret_name, room, "%s.%s", port,
		call->data && is_handshake(call->data, call->size) ? "handshake" : "message");
}

bool point_path(const struct call *call, char ret_path[POINT_PATH])
{
	struct stat info;
	if (call->fd < 0) {
		snprintf(ret_path, POINT_PATH, "%s", call->path);
		return true;
	}
	if (fstat(call->fd, &info) == 0 && S_ISSOCK(info.st_mode)) {
		name_socket(call, ret_path, POINT_PATH);
		return true;
	}
	if (!path_of(call->fd, ret_path) || ret_path[0] != '/')
		return false;
	size_t length = strlen(ret_path);
	if (call->path)
		snprintf(ret_path + length, POINT_PATH - length, "/%s", call->path);
	return true;
}

static void name_object(const struct call *call, char *ret_name, size_t room)
{
	char path[POINT_PATH];
	if (call->fd == STDERR_FILENO || call->fd == STDOUT_FILENO) {
		snprintf(ret_name, room, "log");
	} else if (!point_path(call, path)) {
		snprintf(ret_name, room, "wake");
	} else if (path[0] != '/') {
		snprintf(ret_name, room, "%.*s", (int)room - 1, path);
	} else {
		name_path(path, ret_name, room);
		size_t length = strlen(ret_name);
		if (strcmp(call->name, "pwrite") == 0 && call->offset < META_BYTES &&
			strstr(path, "/data.mdb"))
			snprintf(ret_name + length, room - length, "#meta");
	}
}

/* --- */

void point_start(const char *daemon)
{
	void *frame[1];
	const char *given = getenv("AVVIK_INJECT_PHASE");
	daemon_name = daemon;
	ports = getenv("AVVIK_INJECT_PORTS");
	snprintf(phase, sizeof phase, "%s", given ? given : "start");
	dl_iterate_phdr(find_base, NULL);
	load_program();
	backtrace(frame, 1); /* loads what it needs now, not inside a call */
}

bool point_is_channel(int fd)
{
	struct stat info;
	return fstat(fd, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) &&
	       !S_ISCHR(info.st_mode);
}

bool point_names(const struct call *call, char ret_name[POINT_MAX])
{
	char on[96];
	name_object(call, on, sizeof on);
	return (size_t)snprintf(ret_name, POINT_MAX, "%s/%s/%s/%s/%s", daemon_name, phase, call->name, on,
		       strcmp(on, "wake") == 0 ? "-" : name_purpose()) < POINT_MAX;
}

void point_watch(const struct call *call)
{
	if (!call->data || call->fd < 0 || strncmp(call->name, "send", 4) != 0)
		return;
	if (memmem(call->data, call->size, "READY=1", 7))
		snprintf(phase, sizeof phase, "run");
	else if (memmem(call->data, call->size, "STOPPING=1", 10))
		snprintf(phase, sizeof phase, "stop");
}
