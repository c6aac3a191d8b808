"""kine, which keeps the data in SQLite, in place of etcd.

Everything that must be exact with etcd must be exact with kine: the faults, and
chaos with a state file.
"""

import unittest

import test_chaos
import test_faults


class KineFaultsTest(test_faults.FaultsTest):

    STORE = "kine"

    def test_kine_is_killed(self):
        exporter = self.exporter("store")
        self.post("stored", 3)
        exporter.wait_exact(self.truth)
        self.plane.kill_store()
        self.plane.start_store()
        self.plane.wait_ready()
        self.change("stored", 8)
        self.post("later", 2)
        samples = exporter.wait_exact(self.truth, test_faults.RECOVERY_SECONDS)
        self.assertEqual(self.counted(samples, "stored"), 8)
        self.assertEqual(self.counted(samples, "later"), 2)


class KineChaosTest(test_chaos.ChaosTest):

    STORE = "kine"


if __name__ == "__main__":
    unittest.main(verbosity=2)
