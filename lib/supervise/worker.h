/* SPDX-License-Identifier: MIT */
/*
 * A worker: a thread of the connector that performs one call after another for the supervisor, over
 * a channel of its own (a socketpair, of packets). Each may wait as long as its call does; the
 * supervisor ends a call that waits by a signal, RV_WORKER_SIGNAL, sent again until the answer is
 * there: one that comes just before the call is entered would be lost.
 *
 * Workers share the connector's memory and credentials, hence its Landlock domain. Their tables of
 * descriptors, working directories and umasks are their own. They are made by a bare clone(2), so
 * they share libc's thread-local storage too: only raw system calls (kernel/raw.h), no libc.
 */
#ifndef RV_SUPERVISE_WORKER_H
#define RV_SUPERVISE_WORKER_H

#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define RV_WORKER_SIGNAL SIGUSR1

enum rv_work_kind {
	RV_WORK_SOCKET = 1, /* socket(args[0], args[1], args[2]): the answer carries it */
	RV_WORK_CONNECT,    /* of the first descriptor to `address` */
	RV_WORK_BIND,	    /* the same, in the directory that is the second, with umask args[0] */
	RV_WORK_LISTEN,	    /* of the first descriptor, with backlog args[0] */
	RV_WORK_MAP,	    /* the first descriptor is the area from now on */
	RV_WORK_SEND,	    /* by the first descriptor, the mail in the area */
	/*
	 * What a connect(2) to the socket file that is the first descriptor would give a socket of
	 * type args[0]. It never waits, and the other side sees nothing of it.
	 */
	RV_WORK_PROBE,
};

/* One request; beside it go the descriptors. */
struct rv_work {
	int32_t kind;
	int32_t args[3];
	/*
	 * With `pinned`, the second descriptor is the socket file to be reached, whatever its path
	 * names by now: the address is then this descriptor's in procfs.
	 */
	uint32_t pinned;
	uint32_t address_size;
	uint32_t fds_count; /* of all that come along */
	uint8_t address[sizeof(struct sockaddr_storage)];
};

#define RV_RIGHTS_MAX	     253 /* the kernel's SCM_MAX_FD: descriptors that one message can carry */
#define RV_WORK_FDS	     (2 + RV_RIGHTS_MAX)
#define RV_PACKET_FDS	     250 /* with the request; what is left follows in a packet of its own */
#define RV_WORK_PACKETS(fds) ((fds) > RV_PACKET_FDS ? 2 : 1)

/*
 * Memory that a worker shares with the supervisor and nobody else. What is to be sent lies there,
 * each part where it begins in the area; with `many`, the result is how many letters were sent.
 */
#define RV_AREA_SIZE (1u << 20)

struct rv_letter {
	uint32_t name, name_size; /* 0: it has none */
	uint32_t data, data_size;
	uint32_t control,
		control_size; /* of SCM_RIGHTS: which of the descriptors that came along */
	uint32_t pin;	      /* which of these is the socket file to be reached; 0: none */
	uint32_t sent;	      /* by the worker */
};

struct rv_mail {
	uint32_t count;
	int32_t flags; /* MSG_* */
	uint32_t many;
	uint32_t unused;
	struct rv_letter letters[];
};

struct rv_work_done {
	int64_t result;	 /* of the call; a negative errno */
	uint32_t broken; /* SIGPIPE came with it */
};

/* In the connector: a new worker that serves the channel, a descriptor. Its tid; -errno. */
pid_t rv_worker_start(int channel);

/* In the connector, before the first worker: what RV_WORKER_SIGNAL does, which is nothing. */
void rv_worker_init(void);

#endif /* RV_SUPERVISE_WORKER_H */
