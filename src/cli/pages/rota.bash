# shellcheck shell=bash
# Completion of rota for bash. Below the functions stand tables, made from what its commands declare.

# Offers those of the given words that begin with what was typed.
_rota_offer() {
  local word
  for word in "$@"; do
    if [[ $word == "$cur"* ]]; then
      COMPREPLY+=("$word")
    fi
  done
}

# Offers files (-f) or directories (-d).
_rota_offer_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$1" -- "$cur")
}

# Offers the profiles: directories with a profile in them.
_rota_offer_profiles() {
  local config file
  _rota_config_dir
  for file in "$config"/*/profile.toml; do
    if [[ -e $file ]]; then
      file=${file%/profile.toml}
      _rota_offer "${file##*/}"
    fi
  done
}

# _rota_value KIND: offers what may stand for a word of the form, or for an option's value.
_rota_value() {
  local choices kind=$1
  kind=${kind//[][…]/}
  kind=${kind%...}
  case $kind in
    PROFILE) _rota_offer_profiles ;;
    DIR) _rota_offer_files -d ;;
    FILE | DEST | DEVICE) _rota_offer_files -f ;;
    DISK) [[ $cur != /* ]] || _rota_offer_files -f ;;
    *':{'*) # TEXT:{full,discreet}
      choices=${kind#*:\{}
      IFS=', ' read -r -a choices <<<"${choices%\}}"
      _rota_offer "${choices[@]}"
      ;;
    *[[:upper:]]*) ;; # a time, a size, a name: nothing is known of it
    *)
      IFS='|' read -r -a choices <<<"$kind"
      _rota_offer "${choices[@]}"
      ;;
  esac
}

# Whether an option takes a value, which is put into `kind`.
_rota_takes_value() {
  local option
  for option in $options; do
    if [[ ${option%%:*} == "$1" && $option == *:* ]]; then
      kind=${option#*:}
      return 0
    fi
  done
  return 1
}

_rota() {
  local cur=${COMP_WORDS[COMP_CWORD]} before='' command='' commands words options kind word below i
  local seen=0 only_words=''
  COMPREPLY=()
  _rota_declared ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == = ]]; then # bash splits --option=value there
      continue
    elif [[ -n $before ]]; then
      before=
    elif [[ -z $only_words && $word == -- ]]; then
      only_words=yes
    elif [[ -z $only_words && $word == -* ]]; then
      if _rota_takes_value "$word"; then
        before=$word
      fi
    elif [[ -n $commands ]]; then
      command+=${command:+ }$word
      _rota_declared "$command"
    else
      seen=$((seen + 1))
    fi
  done
  if [[ $cur == = ]]; then
    cur=
  fi
  if [[ -n $before ]]; then
    _rota_takes_value "$before"
    _rota_value "$kind"
  elif [[ -z $only_words && $cur == -* ]]; then
    for word in $options; do
      _rota_offer "${word%%:*}"
    done
  elif [[ -n $commands ]]; then
    read -r -a below <<<"$commands"
    _rota_offer "${below[@]}"
  else
    _rota_word "$seen"
  fi
}

# The word number $1 behind a command. A first word in brackets may have been left out.
_rota_word() {
  local forms last
  read -r -a forms <<<"$words"
  last=$((${#forms[@]} - 1))
  if ((last < 0)); then
    return
  elif (($1 <= last)); then
    _rota_value "${forms[$1]}"
  elif [[ ${forms[last]} == *… || ${forms[last]} == *...* ]]; then
    _rota_value "${forms[last]}"
  fi
  if [[ ${forms[0]} == \[* ]] && (($1 < last)); then
    _rota_value "${forms[$1 + 1]}"
  fi
}

complete -F _rota rota
