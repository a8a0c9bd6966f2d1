// The virtual network, with one subnet for the apps and one for the private endpoints of all services, and the DNS zones.
param name string
param location string
param databricks bool

// Subnets are properties of the network. If they were separate resources, the next deployment of the network would
// delete them.
var subnets = [
  {
    name: 'apps'
    properties: {
      addressPrefix: '10.60.0.0/23'
      delegations: [
        {
          name: 'apps'
          properties: {
            serviceName: 'Microsoft.App/environments'
          }
        }
      ]
    }
  }
  {
    name: 'endpoints'
    properties: {
      addressPrefix: '10.60.2.0/24'
      privateEndpointNetworkPolicies: 'Disabled'
    }
  }
]

var databricksSubnets = map(range(0, databricks ? 2 : 0), i => {
  name: i == 0 ? 'databricks-host' : 'databricks-container'
  properties: {
    addressPrefix: '10.60.${4 + i}.0/24'
    networkSecurityGroup: {
      id: databricksRules.id
    }
    delegations: [
      {
        name: 'databricks'
        properties: {
          serviceName: 'Microsoft.Databricks/workspaces'
        }
      }
    ]
  }
})

// Azure Databricks adds its own rules to this group.
resource databricksRules 'Microsoft.Network/networkSecurityGroups@2024-01-01' = if (databricks) {
  name: 'nsg-${name}-databricks'
  location: location
}

resource network 'Microsoft.Network/virtualNetworks@2024-01-01' = {
  name: name
  location: location
  properties: {
    addressSpace: {
      addressPrefixes: [
        '10.60.0.0/16'
      ]
    }
    subnets: concat(subnets, databricksSubnets)
  }
}

var zoneNames = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.documents.azure.com'
  'privatelink${environment().suffixes.sqlServerHostname}'
  'privatelink.postgres.database.azure.com'
  'privatelink.vaultcore.azure.net'
  'privatelink.azuredatabricks.net'
]

resource zones 'Microsoft.Network/privateDnsZones@2020-06-01' = [for zone in zoneNames: {
  name: zone
  location: 'global'
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [for (zone, i) in zoneNames: {
  parent: zones[i]
  name: name
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network.id
    }
  }
}]

output id string = network.id
output appsSubnetId string = '${network.id}/subnets/apps'
output endpointsSubnetId string = '${network.id}/subnets/endpoints'
output databricksHostSubnet string = 'databricks-host'
output databricksContainerSubnet string = 'databricks-container'
output zones object = {
  blob: zones[0].id
  cosmos: zones[1].id
  sql: zones[2].id
  postgres: zones[3].id
  vault: zones[4].id
  databricks: zones[5].id
}
