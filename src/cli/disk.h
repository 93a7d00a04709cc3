#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"

namespace rota::cli {

using MakeCommand = std::unique_ptr<Command> (*)();

/// The commands of `rota disk`, in the order in which its --help lists them. Each is a command of
/// its own, with a name such as "disk list", in a file of its own; disk.cpp has the table.
std::vector<MakeCommand> disk_commands();

std::unique_ptr<Command> make_disk_list();
std::unique_ptr<Command> make_disk_show();
std::unique_ptr<Command> make_disk_move();
std::unique_ptr<Command> make_disk_lost();
std::unique_ptr<Command> make_disk_retire();
std::unique_ptr<Command> make_disk_hold();
std::unique_ptr<Command> make_disk_release();
std::unique_ptr<Command> make_disk_accept();
std::unique_ptr<Command> make_disk_attach();
std::unique_ptr<Command> make_disk_verify();
std::unique_ptr<Command> make_disk_scrub();
std::unique_ptr<Command> make_disk_eject();
std::unique_ptr<Command> make_disk_adopt();
std::unique_ptr<Command> make_disk_prepare();
std::unique_ptr<Command> make_disk_rekey();

/// Prints an encrypted disk's recovery passphrase, with what to do with it.
void show_recovery_passphrase(const std::string& disk, const std::string& passphrase);

}  // namespace rota::cli
