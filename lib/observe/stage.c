/* SPDX-License-Identifier: MIT */
/* What trials act on: fresh files, servers and victims outside every box. */
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "observe/verify.h"

/* exit(0), without a libc: a program whose start needs no file but itself. */
#if defined(__x86_64__)
#define PROG_MACHINE EM_X86_64
static const unsigned char prog_code[] = {
	0x31, 0xff, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05}; /* xor edi,edi; mov eax,60; syscall */
#elif defined(__aarch64__)
#define PROG_MACHINE EM_AARCH64
static const unsigned char prog_code[] = {
	0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4}; /* x0=0; x8=93; svc */
#else
#define PROG_MACHINE EM_NONE
static const unsigned char prog_code[] = {0};
#endif

struct prog {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	unsigned char code[16];
};

static void prog_fill(struct prog *prog)
{
	const Elf64_Addr base = 0x400000;

	memset(prog, 0, sizeof(*prog));
	memcpy(prog->header.e_ident, ELFMAG, SELFMAG);
	prog->header.e_ident[EI_CLASS] = ELFCLASS64;
	prog->header.e_ident[EI_DATA] = ELFDATA2LSB;
	prog->header.e_ident[EI_VERSION] = EV_CURRENT;
	prog->header.e_type = ET_EXEC;
	prog->header.e_machine = PROG_MACHINE;
	prog->header.e_version = EV_CURRENT;
	prog->header.e_entry = base + offsetof(struct prog, code);
	prog->header.e_phoff = offsetof(struct prog, segment);
	prog->header.e_ehsize = sizeof(prog->header);
	prog->header.e_phentsize = sizeof(prog->segment);
	prog->header.e_phnum = 1;
	prog->segment.p_type = PT_LOAD;
	prog->segment.p_flags = PF_R | PF_X;
	prog->segment.p_vaddr = prog->segment.p_paddr = base;
	prog->segment.p_filesz = prog->segment.p_memsz = sizeof(*prog);
	prog->segment.p_align = 0x1000;
	memcpy(prog->code, prog_code, sizeof(prog_code));
}

static int write_file(int dir, const char *name, mode_t mode, const void *data, size_t size)
{
	rv_autoclose int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return -errno;
	return write(fd, data, size) == (ssize_t)size ? 0 : -EIO;
}

int rv_stage_files(const struct rv_stage *stage)
{
	rv_autoclose int dir = open(stage->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct prog prog;
	int r;

	if (dir < 0)
		return -errno;
	if (mkdirat(dir, "here", 0700) < 0 || mkdirat(dir, "there", 0700) < 0 ||
		mkdirat(dir, "here/dir", 0700) < 0)
		return -errno;
	prog_fill(&prog);
	r = write_file(dir, "here/file", 0600, "text\n", 5);
	return r < 0 ? r : write_file(dir, "here/prog", 0700, &prog, sizeof(prog));
}

/* ------------------------------------------------------------------ servers */

static int open_unix(struct rv_stage *stage)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	stage->unix_fd = fd;
	if (fd < 0)
		return -errno;
	n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/here/socket", stage->path);
	if (n >= (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4) < 0)
		return -errno;
	return 0;
}

/*
 * Binds a port of the kernel's choice. SO_REUSEPORT lets trials of bind() share it, so that the
 * port cannot be taken by others in between.
 */
static int open_inet(int type, int *ret_fd, uint16_t *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int on = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	*ret_fd = fd;
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 ||
		bind(fd, (struct sockaddr *)&address, length) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	*ret_port = ntohs(address.sin_port);
	return 0;
}

static int open_tcp(struct rv_stage *stage)
{
	int r = open_inet(SOCK_STREAM, &stage->tcp_fd, &stage->tcp_port);

	if (r < 0)
		return r;
	return listen(stage->tcp_fd, 4) < 0 ? -errno : 0;
}

static int open_udp(struct rv_stage *stage)
{
	return open_inet(SOCK_DGRAM, &stage->udp_fd, &stage->udp_port);
}

static int open_victim(struct rv_stage *stage)
{
	pid_t pid = rv_spawn();

	if (pid < 0)
		return pid;
	while (pid == 0)
		pause();
	stage->victim = pid;
	return 0;
}

/* ------------------------------------------------------------------- stages */

static int open_needs(unsigned int needs, struct rv_stage *stage)
{
	static const struct {
		unsigned int need;
		int (*open)(struct rv_stage *stage);
	} table[] = {
		{RV_NEEDS_UNIX, open_unix},
		{RV_NEEDS_TCP, open_tcp},
		{RV_NEEDS_UDP, open_udp},
		{RV_NEEDS_VICTIM, open_victim},
	};

	for (size_t i = 0; i < RV_COUNT(table); i++) {
		int r = needs & table[i].need ? table[i].open(stage) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int rv_stage_open(struct rv_proof *proof, unsigned int needs, struct rv_stage *ret)
{
	unsigned int n = proof->stages++;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->unix_fd = ret->tcp_fd = ret->udp_fd = -1;
	snprintf(ret->path, sizeof(ret->path), "%s/%u", proof->dir, n);
	snprintf(ret->name, sizeof(ret->name), "reeve-verify-%d-%u", (int)getpid(), n);
	if (mkdir(ret->path, 0700) < 0)
		return -errno;
	r = rv_stage_files(ret);
	if (r >= 0)
		r = open_needs(needs, ret);
	if (r < 0)
		rv_stage_close(ret);
	return r;
}

void rv_stage_close(struct rv_stage *stage)
{
	rv_close_p(&stage->unix_fd);
	rv_close_p(&stage->tcp_fd);
	rv_close_p(&stage->udp_fd);
	if (stage->victim > 0) {
		kill(stage->victim, SIGKILL);
		rv_reap(stage->victim);
	}
}
