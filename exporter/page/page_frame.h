// What all pages share: the document's head with its policy, the links to the
// other endpoints, whether the exporter is in sync, the foot. Used by the pages
// only.
#pragma once

#include <string>
#include <string_view>

#include "page/page.h"

namespace kem {

// The first list is finished, or the input is read.
bool IsSynced(const PageData& data);
// And all watches are in contact.
bool IsInSync(const PageData& data);
// "Not in sync" and the like, in short; only when not IsInSync.
std::string_view SyncProblem(const PageData& data);
// "namespaces a, b", escaped; "all namespaces".
std::string WatchedNamespaces(const PageData& data);

// "Events are known since …": a sentence; empty for an input.
std::string KnownSince(const PageData& data);

// Why a page has no Events; `sentence` is not escaped.
void PutProblem(const std::string& sentence, std::string& out);

// `root` is the relative link to "/": "./" there, "../../" on an object's page.
// `title` is escaped. The document continues in <main>.
void PutHead(const PageData& data, std::string_view root,
             std::string_view title, std::string& out);
void PutState(const PageData& data, std::string& out);
void PutFoot(const PageData& data, std::string& out);

}  // namespace kem
