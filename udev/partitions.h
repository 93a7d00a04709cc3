#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rota::udev {

/// One entry of a partition table on the medium. start, size: bytes.
struct Partition {
  int number = 0;
  std::uint64_t start = 0;
  std::uint64_t size = 0;
  std::string name;  ///< GPT only
};

/// What the table on the medium says, whatever the kernel knows; empty without a table.
/// Throws Error(io) when the disk cannot be read.
std::vector<Partition> read_partitions(const std::string& disk_node);

/// The node that the kernel gives to a partition: "/dev/sdb1", "/dev/nvme0n1p1". Pure.
std::string partition_node(const std::string& disk_node, int number);

/// Makes the kernel know the partitions that stand in the table, and waits for their nodes.
///
/// disk: an open descriptor of the whole disk. Asks the kernel to read the table (BLKRRPART); what
/// it then does not know, because it was built without a parser for GPT, is told one by one
/// (BLKPG). devtmpfs makes the nodes, so that no udevd is needed.
/// Throws Error(refused) when the disk is in use, io when a node does not appear within 10 s.
void announce_partitions(int disk, const std::string& disk_node);

}  // namespace rota::udev
