#include "job/facts.h"

#include <fmt/format.h>

#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace rota::job {

namespace {

using Words = std::vector<std::string>;

/// Twenty thousand packages; twenty programs together stay below what chain::read_facts() takes.
constexpr std::size_t kMostOutput = 1 << 20;

/// What a program prints; nothing when it is missing or fails. It is asked without a shell.
std::string output_of(base::ProcessRunner& processes, const Words& words) {
  base::Command command;
  command.argv = words;
  command.environment = {{"LC_ALL", "C"}};
  command.most_output = kMostOutput;
  try {
    const base::ProcessResult result = processes.run(command);
    if (result.status != 0) return "";
    return result.cut ? "(what came before is cut off)\n" + result.output : result.output;
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) throw;
    return "";
  }
}

std::string content_of(const std::string& path) {
  try {
    return base::read_file(path, 1 << 20);
  } catch (const base::Error&) {
    return "";
  }
}

}  // namespace

std::string system_facts(base::ProcessRunner& processes) {
  std::string text;
  const auto section = [&](const std::string& title, const std::string& content) {
    if (content.empty()) return;
    text += fmt::format("== {}\n{}{}", title, content, content.ends_with('\n') ? "" : "\n");
  };
  const auto ask = [&](const Words& words) {
    section(fmt::format("{}", fmt::join(words, " ")), output_of(processes, words));
  };
  for (const char* path : {"/etc/os-release", "/proc/cmdline"}) section(path, content_of(path));
  ask({"uname", "-srvm"});
  // Without loop devices, memory and optical drives, which come and go.
  const std::string without = "1,7,11";
  ask({"lsblk", "-e", without, "-o",
       "NAME,TYPE,SIZE,RO,FSTYPE,LABEL,UUID,PARTTYPE,PARTLABEL,PARTUUID,MOUNTPOINTS"});
  std::istringstream disks(output_of(processes, {"lsblk", "-e", without, "-dnpo", "NAME"}));
  for (std::string disk; disks >> disk;) ask({"sfdisk", "--dump", disk});
  ask({"findmnt", "-rno", "TARGET,SOURCE,FSTYPE,OPTIONS", "--real"});
  section("/proc/mdstat", content_of("/proc/mdstat"));
  ask({"mdadm", "--detail", "--scan"});
  ask({"pvs", "--noheadings", "-o", "pv_name,vg_name,pv_size,pv_uuid"});
  ask({"vgs", "--noheadings", "-o", "vg_name,vg_size,vg_uuid"});
  ask({"lvs", "--noheadings", "-o", "lv_name,vg_name,lv_size,segtype,lv_uuid"});
  ask({"ip", "-br", "link"});
  ask({"ip", "-br", "address"});
  ask({"ip", "route"});
  section("/etc/resolv.conf", content_of("/etc/resolv.conf"));
  // Which packages came only with others; `apt-mark` would take a second to say so.
  section("/var/lib/apt/extended_states", content_of("/var/lib/apt/extended_states"));
  ask({"dpkg-query", "-W", "-f", "${binary:Package} ${Version}\\n"});
  ask({"rpm", "-qa"});
  return text;
}

}  // namespace rota::job
