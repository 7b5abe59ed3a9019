#!/usr/bin/env python3
"""Writes resource_types.txt: the resource types of AWS Config that botocore knows.

    python3 -m venv env && env/bin/pip install --upgrade botocore
    env/bin/python src/model/resource_types.py > src/model/resource_types.txt
"""

import datetime

import botocore
import botocore.session


def main():
    config = botocore.session.Session().get_service_model("config")
    types = config.shape_for("ResourceType").enum
    today = datetime.date.today().isoformat()
    print(f"# {len(types)} types of botocore {botocore.__version__}, written on {today} by resource_types.py")
    print("\n".join(sorted(types, key=str.lower)))


if __name__ == "__main__":
    main()
