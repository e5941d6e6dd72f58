/* image.c - data.mdb as it lies on disk, looked at before LMDB maps it.
 *
 * LMDB believes what it maps: a file that was cut off ends the process with SIGBUS, a page of garbage with
 * SIGSEGV. So the two meta pages are read first, and the file must reach as far as the newer one says. Freed
 * pages at the end may never have been written, so that a sound file can be shorter; then, and when asked to
 * be thorough, every page that is in use is visited and held against the file.
 *
 * Layout of LMDB 0.9, native byte order and 64-bit words:
 *	page  number u64, pad u16, flags u16, lower u16, upper u16 (overflow: pages u32), then at 16: node
 *	      offsets u16
 *	meta  at 16: magic u32, version u32, address u64, map size u64, tree of free pages 48, main tree 48,
 *	      last page u64, transaction u64
 *	tree  pad u32 (of the first: page size), flags u16, depth u16, pages u64 * 3, entries u64, root u64
 *	node  low u16, high u16, flags u16, key size u16, key, data. In a branch low, high and flags are the
 *	      page below; in a leaf low and high are the size of the data.
 */
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* clang-format off */
enum { PAGE_HEAD = 16, NODE_HEAD = 8, META_SIZE = 152, TREE_SIZE = 48, DEPTH_MAX = 32, SMALLEST_PAGE = 512,
	LARGEST_PAGE = 65536 };
enum { PAGE_BRANCH = 0x01, PAGE_LEAF = 0x02, PAGE_OVERFLOW = 0x04, PAGE_META = 0x08, PAGE_KINDS = 0x6f };
enum { NODE_BIG = 0x01, NODE_TREE = 0x02, NODE_DUPLICATES = 0x04 };
/* clang-format on */
enum tree { TREE_FREE, TREE_MAIN, TREE_TABLE };
#define MAGIC 0xBEEFC0DEu
#define FORMAT 1u
#define NO_PAGE UINT64_MAX

_Static_assert(sizeof(size_t) == 8, "the layout above is that of 64-bit machines");

struct image {
	const unsigned char *map;
	uint64_t size, page_size, pages; /* pages: whole ones in the file */
	uint64_t last_page, transaction, roots[2];
	uint64_t visited;
};

static uint16_t u16_at(const unsigned char *from)
{
	uint16_t value;
	memcpy(&value, from, sizeof value);
	return value;
}

static uint32_t u32_at(const unsigned char *from)
{
	uint32_t value;
	memcpy(&value, from, sizeof value);
	return value;
}

static uint64_t u64_at(const unsigned char *from)
{
	uint64_t value;
	memcpy(&value, from, sizeof value);
	return value;
}

static int say(const char **ret_what, int status, const char *what)
{
	*ret_what = what;
	return status;
}

/* Takes over from the meta page what is newer than what `image` knows. */
static int read_meta(struct image *image, uint64_t at, const char **ret_what)
{
	if (image->size < at + META_SIZE)
		return say(ret_what, AV_DAMAGED, "is cut off within its first pages");
	const unsigned char *page = image->map + at;
	if (!(u16_at(page + 10) & PAGE_META) || u32_at(page + 16) != MAGIC)
		return say(ret_what, AV_DAMAGED, "does not begin as a store does");
	if (u32_at(page + 20) > FORMAT)
		return say(ret_what, AV_NEWER, "was written by a newer LMDB");
	uint64_t page_size = u32_at(page + 40);
	if (u32_at(page + 20) != FORMAT || page_size < SMALLEST_PAGE || page_size > LARGEST_PAGE ||
		(page_size & (page_size - 1)) != 0 ||
		(image->page_size != 0 && image->page_size != page_size))
		return say(ret_what, AV_DAMAGED, "has a first page that contradicts itself");
	uint64_t transaction = u64_at(page + 144);
	if (image->page_size == 0 || transaction > image->transaction) {
		image->transaction = transaction;
		image->roots[0] = u64_at(page + 40 + 40);
		image->roots[1] = u64_at(page + 88 + 40);
		image->last_page = u64_at(page + 136);
	}
	image->page_size = page_size;
	return AV_OK;
}

static int walk_page(struct image *image, uint64_t number, unsigned int depth, enum tree tree);

static bool is_whole_overflow(struct image *image, uint64_t number, uint64_t bytes)
{
	uint64_t count = (PAGE_HEAD + bytes + image->page_size - 1) / image->page_size;
	if (number < 2 || number >= image->pages || count > image->pages - number)
		return false;
	const unsigned char *page = image->map + number * image->page_size;
	image->visited += count;
	return u64_at(page) == number && (u16_at(page + 10) & PAGE_KINDS) == PAGE_OVERFLOW &&
	       u32_at(page + 12) >= count;
}

static int walk_leaf_node(
	struct image *image, const unsigned char *node, uint64_t room, unsigned int depth, enum tree tree)
{
	uint64_t data_size = u16_at(node) | (uint64_t)u16_at(node + 2) << 16;
	unsigned int flags = u16_at(node + 4);
	uint64_t head = NODE_HEAD + (uint64_t)u16_at(node + 6);
	const unsigned char *data = node + head;
	if (flags & NODE_DUPLICATES || head + (flags & NODE_BIG ? 8 : data_size) > room)
		return AV_DAMAGED;
	if (flags & NODE_BIG)
		return is_whole_overflow(image, u64_at(data), data_size) ? AV_OK : AV_DAMAGED;
	if (flags & NODE_TREE) {
		if (tree != TREE_MAIN || data_size != TREE_SIZE)
			return AV_DAMAGED;
		uint64_t root = u64_at(data + 40);
		return root == NO_PAGE ? AV_OK : walk_page(image, root, depth + 1, TREE_TABLE);
	}
	return AV_OK;
}

static int walk_page(struct image *image, uint64_t number, unsigned int depth, enum tree tree)
{
	/* A page that is met more often than there are pages lies in a circle. */
	if (number < 2 || number >= image->pages || depth > DEPTH_MAX || image->visited++ > image->pages)
		return AV_DAMAGED;
	const unsigned char *page = image->map + number * image->page_size;
	unsigned int kind = u16_at(page + 10) & PAGE_KINDS;
	uint64_t lower = u16_at(page + 12), upper = u16_at(page + 14);
	if (u64_at(page) != number || (kind != PAGE_BRANCH && kind != PAGE_LEAF))
		return AV_DAMAGED;
	if (lower <= PAGE_HEAD || lower % 2 || lower > upper || upper > image->page_size)
		return AV_DAMAGED;
	/* LMDB ends the process at a branch without a choice, but in the tree of free pages, where it makes them. */
	if (kind == PAGE_BRANCH && tree != TREE_FREE && lower < PAGE_HEAD + 4)
		return AV_DAMAGED;
	for (uint64_t at = PAGE_HEAD; at < lower; at += 2) {
		uint64_t offset = u16_at(page + at);
		if (offset < upper || offset + NODE_HEAD > image->page_size)
			return AV_DAMAGED;
		const unsigned char *node = page + offset;
		uint64_t room = image->page_size - offset;
		int status;
		if (kind == PAGE_LEAF) {
			status = walk_leaf_node(image, node, room, depth, tree);
		} else {
			uint64_t below = u16_at(node) | (uint64_t)u16_at(node + 2) << 16 |
					 (uint64_t)u16_at(node + 4) << 32;
			status = NODE_HEAD + (uint64_t)u16_at(node + 6) > room
					 ? AV_DAMAGED
					 : walk_page(image, below, depth + 1, tree);
		}
		if (status != AV_OK)
			return status;
	}
	return AV_OK;
}

static int check_mapped(struct image *image, bool thorough, const char **ret_what)
{
	int status = read_meta(image, 0, ret_what);
	if (status == AV_OK)
		status = read_meta(image, image->page_size, ret_what);
	if (status != AV_OK)
		return status;
	image->pages = image->size / image->page_size;
	bool short_file = image->last_page >= image->pages;
	if (image->pages < 2)
		return say(ret_what, AV_DAMAGED, "is cut off within its first pages");
	if (!short_file && !thorough)
		return AV_OK;
	for (int i = 0; i < 2; i++)
		if (image->roots[i] != NO_PAGE &&
			walk_page(image, image->roots[i], 1, i == 0 ? TREE_FREE : TREE_MAIN) != AV_OK)
			return say(ret_what, AV_DAMAGED,
				short_file ? "is cut off" : "has a page that cannot be read");
	return AV_OK;
}

int store_image_check(const char *path, bool thorough, const char **ret_what)
{
	char file[STORE_PATH_MAX];
	struct stat st;
	if ((size_t)snprintf(file, sizeof file, "%s/" STORE_DATA_FILE, path) >= sizeof file)
		return say(ret_what, AV_IO, "has a path that is too long");
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? AV_NOT_FOUND
							   : say(ret_what, AV_IO, "cannot be opened");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return say(ret_what, AV_IO, "is not a file");
	}
	struct image image = {.size = (uint64_t)st.st_size};
	if (image.size == 0) {
		close(fd);
		return say(ret_what, AV_DAMAGED, "is empty");
	}
	void *map = mmap(NULL, image.size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return say(ret_what, AV_IO, "cannot be read");
	image.map = map;
	int status = check_mapped(&image, thorough, ret_what);
	munmap(map, image.size);
	return status;
}
